import { Injectable } from '@nestjs/common';

import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import { InvalidEmitError } from '../domain/errors.js';
import { orderingKeyRefusal } from '../domain/ordering.js';
import { parseEmittedName, patternsMatching } from '../domain/event-name.js';
import { CheckPayload, problemText } from './check-payload.js';
import { DeliverySettings } from './delivery-settings.js';
import { EventOutbox } from './ports/event-outbox.js';
import type { Transaction } from './ports/transaction.js';

/** What a module hands to `emit`. */
export interface EmitCommand {
  /** 1–64 of `[A-Za-z0-9_-]`. */
  readonly tenantId: string;
  /** A `WebhookEventType`, or any other well-formed name. */
  readonly event: string;
  /** A JSON object; serialised here, once. */
  readonly payload: object;
  /**
   * Within which order is kept, for subscriptions with `ordering: "fifo"`: 1–128 characters, the id of an invoice for instance.
   * Left out: one order for all events without a key.
   */
  readonly orderingKey?: string | undefined;
}

export interface EmittedEvent {
  readonly eventId: string;
  readonly deliveryIds: readonly string[];
}

const TENANT_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Stores an event and its deliveries in the caller's transaction: they commit with the caller's rows or not at all. */
@Injectable()
export class EmitEvent {
  constructor(
    private readonly outbox: EventOutbox,
    private readonly ids: IdGenerator,
    private readonly settings: DeliverySettings,
    private readonly checks: CheckPayload,
  ) {}

  /** @throws InvalidEmitError when the tenant, the event name, the payload or the ordering key cannot be one, or the payload is
   * to fit its schema and does not. Nothing was stored then. */
  async execute(transaction: Transaction, command: EmitCommand): Promise<EmittedEvent> {
    if (!TENANT_ID.test(command.tenantId)) {
      throw new InvalidEmitError(
        `tenantId must be 1–64 of A-Z, a-z, 0-9, _ and -, not ${quoted(command.tenantId)}`,
      );
    }
    const event = parseEmittedName(command.event);
    if (!event.ok) throw new InvalidEmitError(`${event.message}, not ${quoted(command.event)}`);
    const { orderingKey = null } = command;
    const refusal = orderingKey === null ? null : orderingKeyRefusal(orderingKey);
    if (refusal !== null) throw new InvalidEmitError(`${refusal}, not ${quoted(orderingKey)}`);
    const payload = serialise(command.payload);
    const problems = this.checks.execute(event.name, payload);
    if (problems.length > 0) {
      throw new InvalidEmitError(`${event.name} does not fit its schema: ${problemText(problems)}`);
    }
    const id = this.ids.next();
    const result = await this.outbox.append(transaction, {
      id,
      tenantId: command.tenantId,
      event: event.name,
      patterns: patternsMatching(event.name),
      payload,
      idempotency: null,
      orderingKey,
      onlyIfMatched: !this.settings.storeUnmatched,
    });
    const { deliveryIds, lanes } = result.kind === 'stored' ? result : { deliveryIds: [], lanes: [] };
    this.outbox.announceAfterCommit(transaction, event.name, lanes);
    return { eventId: id, deliveryIds };
  }
}

function serialise(payload: object): string {
  const text: unknown = JSON.stringify(payload);
  if (typeof text !== 'string' || !text.startsWith('{')) {
    throw new InvalidEmitError('payload must be an object that serialises to a JSON object');
  }
  return text;
}

function quoted(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 120) ?? typeof value;
}
