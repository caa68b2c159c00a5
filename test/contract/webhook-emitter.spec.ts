import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EntityManager } from 'typeorm';

import { CheckPayload } from '../../src/modules/webhooks/application/check-payload.js';
import {
  EmitEvent,
  type EmitCommand,
  type EmittedEvent,
} from '../../src/modules/webhooks/application/emit-event.js';
import { EmitOutsideTransactionError, InvalidEmitError } from '../../src/modules/webhooks/domain/errors.js';
import { EventCatalogue } from '../../src/modules/webhooks/domain/event-types/event-catalogue.js';
import { WebhookEmitter } from '../../src/modules/webhooks/infrastructure/persistence/webhook-emitter.js';
import { AjvSchemaValidator } from '../../src/modules/webhooks/infrastructure/schemas/ajv-schema-validator.js';
import { FakeClock } from '../../src/modules/webhooks/testing/fake-clock.js';
import { uncheckedPayloads } from '../../src/modules/webhooks/testing/fake-schema-validator.js';
import { RecordingLogger } from '../../src/modules/webhooks/testing/recording-logger.js';
import { RecordingWebhookEmitter } from '../../src/modules/webhooks/testing/recording-webhook-emitter.js';
import { testSettings } from '../../src/modules/webhooks/testing/test-settings.js';
import type { Transaction } from '../../src/modules/webhooks/application/ports/transaction.js';
import { describeWithPostgres } from '../support/servers.js';
import type { PersistenceHarness } from './persistence/harness.js';
import { typeormStorages } from './persistence/typeorm-harness.js';

interface EmitterHarness {
  /** Emits inside an open transaction that commits. */
  emit(command: EmitCommand): Promise<EmittedEvent>;
  emitOutside(command: EmitCommand): Promise<EmittedEvent>;
  dispose(): Promise<void>;
}

const GOOD: EmitCommand = { tenantId: 'acme', event: 'Thing.Done ', payload: { id: 1 } };

/** What other modules may count on, in their tests as in production. */
function emitterContract(open: () => Promise<EmitterHarness>): void {
  let harness: EmitterHarness;

  beforeEach(async () => {
    harness = await open();
  });

  afterEach(async () => {
    await harness.dispose();
  });

  it('gives every event an id of its own', async () => {
    const first = await harness.emit(GOOD);
    const second = await harness.emit(GOOD);
    expect(first).toEqual({ eventId: expect.stringMatching(/^[0-9a-f-]{36}$/), deliveryIds: [] });
    expect(second.eventId).not.toBe(first.eventId);
  });

  it('refuses to emit outside a transaction', async () => {
    await expect(harness.emitOutside(GOOD)).rejects.toThrow(EmitOutsideTransactionError);
  });

  it.each<[string, Partial<EmitCommand>]>([
    ['a tenant with a dot', { tenantId: 'a.b' }],
    ['no tenant', { tenantId: '' }],
    ['an event with a space', { event: 'thing done' }],
    ['no event', { event: ' ' }],
    ['a pattern', { event: 'thing.*' }],
    ['a list as payload', { payload: [1] }],
    ['a payload that serialises to text', { payload: new Date(0) }],
  ])('refuses %s', async (_what, change) => {
    await expect(harness.emit({ ...GOOD, ...change })).rejects.toThrow(InvalidEmitError);
  });
}

describe('RecordingWebhookEmitter', () => {
  const inTransaction = { queryRunner: { isTransactionActive: true } };
  const recording = async (): Promise<EmitterHarness> => {
    const emitter = new RecordingWebhookEmitter();
    return Promise.resolve({
      emit: async (command) => emitter.emit(inTransaction, command),
      emitOutside: async (command) => emitter.emit({}, command),
      dispose: async () => Promise.resolve(),
    });
  };
  emitterContract(recording);

  it('lists what was emitted, as it would be sent, and nothing that was refused', async () => {
    const emitter = new RecordingWebhookEmitter();
    const { eventId } = await emitter.emit(inTransaction, { ...GOOD, payload: { at: new Date(0) } });
    await expect(emitter.emit(inTransaction, { ...GOOD, event: '' })).rejects.toThrow();
    expect(emitter.emitted).toEqual([
      {
        ...{ eventId, tenantId: 'acme', event: 'thing.done', manager: inTransaction },
        payload: { at: '1970-01-01T00:00:00.000Z' },
      },
    ]);
  });
});

describeWithPostgres('WebhookEmitter', () => {
  const managerOf = (transaction: Transaction): EntityManager => transaction.handle as EntityManager;
  const storages = typeormStorages();
  afterAll(storages.close);
  emitterContract(async () => {
    const storage: PersistenceHarness = await storages.open();
    const emitter = new WebhookEmitter(
      new EmitEvent(storage.outbox, storage.ids, testSettings(), uncheckedPayloads()),
    );
    return {
      emit: async (command) =>
        storage.transactions.run('acme', (transaction) => emitter.emit(managerOf(transaction), command)),
      emitOutside: async (command) => {
        const manager = await storage.transactions.run('acme', (transaction) =>
          Promise.resolve(managerOf(transaction)),
        );
        return emitter.emit(manager, command);
      },
      dispose: async () => storage.dispose(),
    };
  });

  const checking = async (
    eventValidation: 'warn' | 'reject',
    logger = new RecordingLogger(),
  ): Promise<CheckPayload> => {
    const settings = testSettings({ eventValidation });
    const catalogue = new EventCatalogue();
    const checks = new CheckPayload(catalogue, new AjvSchemaValidator(), settings, new FakeClock(), logger);
    await checks.onModuleInit();
    return checks;
  };
  const WRONG: EmitCommand = { tenantId: 'acme', event: 'invoice.paid', payload: { event: 'invoice.paid' } };

  // Red when the check comes after the event is stored: a caller that goes on after the error would commit it.
  it('stores nothing of what `reject` refuses, and leaves the transaction usable; `warn` stores it', async () => {
    const storage = await storages.open();
    const logger = new RecordingLogger();
    const emitterWith = (checks: CheckPayload): WebhookEmitter =>
      new WebhookEmitter(new EmitEvent(storage.outbox, storage.ids, testSettings(), checks));
    const strict = emitterWith(await checking('reject'));
    const lenient = emitterWith(await checking('warn', logger));
    try {
      const stored = await storage.transactions.run('acme', async (transaction) => {
        const manager = managerOf(transaction);
        const refused = strict.emit(manager, WRONG);
        await expect(refused).rejects.toThrow(InvalidEmitError);
        await expect(refused).rejects.toThrow(
          /invoice\.paid does not fit its schema: .*required property 'data'/,
        );
        await strict.emit(manager, { ...WRONG, event: 'invoice.unheard_of' });
        await lenient.emit(manager, WRONG);
        return manager.query<{ event: string }[]>('SELECT event FROM webhook_events ORDER BY id');
      });
      expect(stored).toEqual([{ event: 'invoice.unheard_of' }, { event: 'invoice.paid' }]);
      expect(logger.messages('warn')).toEqual([
        expect.stringContaining('does not fit its schema: invoice.paid'),
      ]);
    } finally {
      await storage.dispose();
    }
  });
});
