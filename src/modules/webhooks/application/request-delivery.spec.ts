import { beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.js';
import { uncheckedPayloads } from '../testing/fake-schema-validator.js';
import { ACTOR, InMemoryWebhooks, TENANT } from '../testing/in-memory-webhooks.js';
import { EmitEvent } from './emit-event.js';
import { RequestDelivery } from './request-delivery.js';

const URL = 'https://hooks.customer.com/in';

describe('events', () => {
  let webhooks: InMemoryWebhooks;

  beforeEach(() => {
    webhooks = new InMemoryWebhooks();
  });

  describe('RequestDelivery', () => {
    const request = (change: object = {}): ReturnType<RequestDelivery['execute']> => {
      const { intake, drain, dispatcher, ids, metrics } = webhooks;
      const useCase = new RequestDelivery(intake, drain, dispatcher, ids, metrics, uncheckedPayloads());
      return useCase.execute({
        tenantId: TENANT,
        actor: ACTOR,
        event: 'thing.done',
        payload: '{"n":1}',
        ...change,
      });
    };

    it('stores, counts, and waits as the dispatcher says', async () => {
      const lane = await webhooks.subscribe();
      const { deliveryIds } = await request();
      expect(webhooks.dispatcher.requests).toEqual([{ lanes: [lane], deliveryIds }]);
      expect(webhooks.metrics.events).toEqual(['thing.done']);
    });

    // Red when a process that delivers leaves to a ring and a claim what it could send at once.
    it('sends what this process has places for at once, without a ring', async () => {
      await webhooks.subscribe();
      webhooks.drain.start();
      const { deliveryIds } = await request();
      expect(webhooks.dispatcher.requests).toEqual([{ lanes: [], deliveryIds }]);
      await eventually(() =>
        expect(webhooks.store.deliveries.get(deliveryIds[0]!)).toMatchObject({
          ...{ status: 'DELIVERED', attempts: 1, autoAttempts: 1 },
        }),
      );
      expect(webhooks.sender.requests).toMatchObject([{ body: '{"n":1}' }]);
    });

    it('leaves the rest to the lane: an endpoint that has not answered yet gets one', async () => {
      const lane = await webhooks.subscribe();
      webhooks.drain.start();
      const release = webhooks.sender.hold();
      await request();
      await request();
      expect(webhooks.dispatcher.requests.map(({ lanes }) => lanes)).toEqual([[], [lane]]);
      expect([...webhooks.store.deliveries.values()].map(({ status }) => status)).toEqual([
        'SENDING',
        'PENDING',
      ]);
      release();
    });

    it('refuses an event without subscribers, and stores nothing', async () => {
      await expect(request()).rejects.toMatchObject({ code: 'no_active_subscriptions_for_event' });
      expect(webhooks.store.events.size).toBe(0);
      expect(webhooks.metrics.events).toEqual([]);
    });

    it('stores what every filter kept back: somebody listens', async () => {
      const { subscription } = await webhooks.creating().execute({
        ...{ tenantId: TENANT, actor: ACTOR, event: 'thing.done', url: URL, filter: '{"n":2}' },
      });
      const { eventId, deliveryIds } = await request();
      expect(deliveryIds).toEqual([]);
      expect(webhooks.store.events.get(eventId)).toMatchObject({ filteredBy: [subscription.id] });
      expect(webhooks.metrics.events).toEqual(['thing.done']);
      expect((await request({ payload: '{"n":2}' })).deliveryIds).toHaveLength(1);
    });

    it('answers a repeated key again, and rings and counts nothing', async () => {
      await webhooks.subscribe();
      const first = await request({ idempotencyKey: 'k' });
      expect(await request({ idempotencyKey: 'k' })).toEqual(first);
      expect(webhooks.dispatcher.requests).toHaveLength(1);
      expect(webhooks.metrics.events).toHaveLength(1);
      expect(webhooks.store.deliveries.size).toBe(1);
    });

    it.each([
      ['payload', { payload: '{"n": 1}' }],
      ['event', { event: 'thing.undone' }],
    ])('refuses the same key with another %s', async (_what, change) => {
      await webhooks.subscribe('*');
      await request({ idempotencyKey: 'k' });
      await expect(request({ idempotencyKey: 'k', ...change })).rejects.toMatchObject({
        code: 'idempotency_conflict',
      });
      expect(webhooks.store.deliveries.size).toBe(1);
    });
  });

  describe('EmitEvent', () => {
    const emit = (payload: object, fail = false): Promise<unknown> => {
      const useCase = new EmitEvent(webhooks.outbox, webhooks.ids, webhooks.settings, uncheckedPayloads());
      return webhooks.transactions.run(TENANT, async (transaction) => {
        const emitted = await useCase.execute(transaction, {
          tenantId: TENANT,
          event: 'Thing.done',
          payload,
        });
        if (fail) throw new Error('rolled back');
        return emitted;
      });
    };

    it('serialises once, in the order given, and rings after the commit', async () => {
      const lane = await webhooks.subscribe('thing.*');
      const { deliveryIds } = (await emit({ z: 1, a: { c: 2, b: 3 } })) as { deliveryIds: string[] };
      expect(deliveryIds).toHaveLength(1);
      expect([...webhooks.store.events.values()]).toMatchObject([
        { event: 'thing.done', payload: '{"z":1,"a":{"c":2,"b":3}}' },
      ]);
      expect(webhooks.dispatcher.rung).toEqual([lane]);
    });

    it('leaves nothing of a rolled-back transaction', async () => {
      await webhooks.subscribe('thing.*');
      await expect(emit({ a: 1 }, true)).rejects.toThrow('rolled back');
      expect(webhooks.store.events.size + webhooks.store.deliveries.size).toBe(0);
      expect(webhooks.dispatcher.rung).toEqual([]);
      expect(webhooks.metrics.events).toEqual([]);
    });

    it.each([true, false])(
      'keeps an event that nobody wants when it is told to: %s',
      async (storeUnmatched) => {
        webhooks = new InMemoryWebhooks({ storeUnmatched });
        await emit({ a: 1 });
        expect(webhooks.store.events.size).toBe(storeUnmatched ? 1 : 0);
      },
    );
  });
});
