import { EmitEvent, type EmitCommand, type EmittedEvent } from '../application/emit-event.js';
import { EventOutbox, type AppendResult, type NewEvent } from '../application/ports/event-outbox.js';
import { EmitOutsideTransactionError } from '../domain/errors.js';
import { uncheckedPayloads } from './fake-schema-validator.js';
import { SequentialIds } from './sequential-ids.js';
import { testSettings } from './test-settings.js';

/** As much of TypeORM's EntityManager as emitting looks at. */
export interface EmittingManager {
  readonly queryRunner?: { readonly isTransactionActive: boolean } | undefined;
}

/** One recorded event; `payload` as it would be sent. */
export interface RecordedEvent {
  readonly eventId: string;
  readonly tenantId: string;
  readonly event: string;
  readonly payload: unknown;
  readonly manager: EmittingManager;
}

/** Keeps every event instead of storing it. */
class ListOutbox extends EventOutbox {
  readonly appended: NewEvent[] = [];

  override async append(_transaction: unknown, event: NewEvent): Promise<AppendResult> {
    this.appended.push(event);
    return Promise.resolve({ kind: 'stored', deliveryIds: [], lanes: [] });
  }

  override announceAfterCommit(): void {
    // Nobody is subscribed here.
  }
}

/**
 * Stands in for `WebhookEmitter` in the tests of modules that emit. It refuses what the real one refuses and needs no
 * database; whether a transaction commits it cannot see, so what was rolled back is listed too.
 *
 * @example providers: [{ provide: WebhookEmitter, useValue: new RecordingWebhookEmitter() }]
 */
export class RecordingWebhookEmitter {
  readonly emitted: RecordedEvent[] = [];
  private readonly outbox = new ListOutbox();
  private readonly emitEvent = new EmitEvent(
    this.outbox,
    new SequentialIds(),
    testSettings(),
    uncheckedPayloads(),
  );

  async emit(manager: EmittingManager, event: EmitCommand): Promise<EmittedEvent> {
    if (manager.queryRunner?.isTransactionActive !== true) throw new EmitOutsideTransactionError();
    const result = await this.emitEvent.execute({ handle: manager, tenantId: event.tenantId }, event);
    const stored = this.outbox.appended.at(-1);
    if (stored !== undefined) {
      const payload: unknown = JSON.parse(stored.payload);
      this.emitted.push({
        ...{ eventId: stored.id, tenantId: stored.tenantId, event: stored.event, payload, manager },
      });
    }
    return result;
  }
}
