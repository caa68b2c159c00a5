import { beforeEach, describe, expect, it } from '@jest/globals';

import { eventually } from '../../../../test/support/eventually.js';
import { CLOSED_CIRCUIT, type Circuit } from '../domain/gates/circuit.js';
import type { Lane } from '../domain/lane.js';
import {
  CLOSED_ENDPOINT,
  DEACTIVATED_BY_FAILING,
  DEACTIVATED_BY_GONE,
  DEACTIVATED_BY_UPDATE,
  type EndpointCircuit,
  type Subscription,
} from '../domain/subscription.js';
import type { StoredSubscription } from '../testing/in-memory-store.js';
import { uncheckedPayloads } from '../testing/fake-schema-validator.js';
import { ACTOR, InMemoryWebhooks, NO_LIMIT, TENANT } from '../testing/in-memory-webhooks.js';
import { CreateSubscription } from './create-subscription.js';
import { EmitEvent } from './emit-event.js';
import { ResetCircuit } from './reset-circuit.js';
import { RequestDelivery } from './request-delivery.js';
import { SweepLanes } from './sweep-lanes.js';
import { UpdateSubscription } from './update-subscription.js';

const URL = 'https://hooks.customer.com/in';

describe('the use cases', () => {
  let webhooks: InMemoryWebhooks;

  beforeEach(() => {
    webhooks = new InMemoryWebhooks();
  });

  describe('CreateSubscription', () => {
    const create = (change: object = {}, limits = NO_LIMIT): ReturnType<CreateSubscription['execute']> => {
      const command = { tenantId: TENANT, actor: ACTOR, event: 'a.b', url: URL, ...change };
      return webhooks.creating(limits).execute(command);
    };

    it('reads the event, seals the given secret for its subscription, and shows none', async () => {
      const created = await create({ event: ' A.B ', secret: 'chosen-secret' });
      expect(created).toMatchObject({ generatedSecret: null, subscription: { event: 'a.b', active: true } });
      const { id } = created.subscription;
      const sealed = webhooks.store.subscriptions.get(id)!.sealedSecret;
      const context = { tenantId: TENANT, subscriptionId: id, purpose: 'signing' } as const;
      expect(webhooks.vault.open(sealed, context).reveal()).toBe('chosen-secret');
      expect(JSON.stringify(created)).not.toContain('chosen-secret');
    });

    it('makes a secret when none is given, and shows it this once', async () => {
      const first = await create();
      const second = await create({ event: 'c.d' });
      expect(first.generatedSecret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(second.generatedSecret).not.toBe(first.generatedSecret);
    });

    it('refuses a template that cannot be read, with the others', async () => {
      webhooks.templates.problem = 'unexpected end at 5';
      const settings = { template: { jsonata: '{"a":' }, timeoutSeconds: 0 };
      await expect(create({ settings })).rejects.toMatchObject({
        problems: [
          { loc: ['body', 'timeout_seconds'] },
          { type: 'value_error', loc: ['body', 'template'], msg: 'Template: unexpected end at 5' },
        ],
      });
    });

    it('keeps a filter as it is written, and of its values nothing in the trail', async () => {
      const filter = '{"id":12345678901234567890}';
      expect((await create({ filter })).subscription).toMatchObject({ filter });
      expect(webhooks.trail.entries.at(-1)?.details).toMatchObject({ filter: 'set' });
      const wrong = { filter: '{"a":1,"a":{"$x":2}}', event: 'a b' };
      await expect(create(wrong)).rejects.toMatchObject({
        problems: [
          { loc: ['body', 'event'] },
          { loc: ['body', 'filter', 'a'], msg: '"a" stands twice at filter' },
          { loc: ['body', 'filter', 'a', '$x'], msg: 'Unknown operator "$x" at a' },
        ],
      });
    });

    it('lists every problem at once and stores nothing', async () => {
      const wrong = { event: 'a b', url: 'http://x.com', secret: 'short' };
      const settings = { retrySchedule: [1, 0] };
      await expect(create({ ...wrong, settings })).rejects.toMatchObject({
        problems: [
          { type: 'value_error', loc: ['body', 'event'], msg: expect.stringMatching(/^Event must be/) },
          { type: 'value_error', loc: ['body', 'url'], msg: 'URL must use HTTPS protocol' },
          { type: 'value_error', loc: ['body', 'secret'], msg: 'Secret must be at least 8 characters' },
          {
            ...{ type: 'value_error', loc: ['body', 'retry_schedule', 1] },
            msg: 'retry_schedule[1] must be an integer from 1 to 86400',
          },
        ],
      });
      expect(webhooks.store.subscriptions.size).toBe(0);
    });
  });

  it('lets a tenant have as many active subscriptions as it may, and no more', async () => {
    const { transactions, subscriptions, trail, vault, targets, templates, ids } = webhooks;
    const two = { maxActiveSubscriptions: 2 };
    const create = new CreateSubscription(
      transactions,
      subscriptions,
      trail,
      vault,
      targets,
      templates,
      ids,
      two,
    );
    const subscribe = (event: string, tenantId = TENANT): ReturnType<typeof create.execute> =>
      create.execute({ tenantId, actor: ACTOR, event, url: URL });
    const first = await subscribe('a.a');
    await subscribe('a.b');
    await expect(subscribe('a.c')).rejects.toMatchObject({ code: 'too_many_subscriptions' });
    expect(webhooks.store.subscriptions.size).toBe(2);
    await subscribe('a.c', 'other');
    const { circuits, dispatcher } = webhooks;
    // oxfmt-ignore
    const update = new UpdateSubscription(
      transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher, two,
    );
    const change = (active: boolean): ReturnType<typeof update.execute> =>
      update.execute({ tenantId: TENANT, actor: ACTOR, id: first.subscription.id, active });
    await change(false);
    await subscribe('a.d');
    await expect(change(true)).rejects.toMatchObject({ code: 'too_many_subscriptions' });
  });

  describe('UpdateSubscription', () => {
    const update = (
      id: string,
      change: object,
      limits = NO_LIMIT,
    ): ReturnType<UpdateSubscription['execute']> => {
      const { transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher } =
        webhooks;
      // oxfmt-ignore
      const useCase = new UpdateSubscription(
        transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher, limits,
      );
      return useCase.execute({ tenantId: TENANT, actor: ACTOR, id, ...change });
    };

    it('changes what is given; a new secret is sealed for the same subscription', async () => {
      const { subscriptionId: id } = await webhooks.subscribe();
      const before = webhooks.store.subscriptions.get(id)!.sealedSecret;
      expect(await update(id, { event: 'C.*' })).toMatchObject({ id, event: 'c.*' });
      expect(webhooks.store.subscriptions.get(id)!.sealedSecret).toBe(before);
      await update(id, { secret: 'another-secret' });
      const context = { tenantId: TENANT, subscriptionId: id, purpose: 'signing' } as const;
      const sealed = webhooks.store.subscriptions.get(id)!.sealedSecret;
      expect(webhooks.vault.open(sealed, context).reveal()).toBe('another-secret');
    });

    it('lists every problem at once and changes nothing', async () => {
      const { subscriptionId: id } = await webhooks.subscribe();
      const before = { ...webhooks.store.subscriptions.get(id) };
      const bad = { event: '', url: 'ftp://x.com', secret: 'short', active: false };
      await expect(update(id, bad)).rejects.toMatchObject({ problems: { length: 3 } });
      expect(webhooks.store.subscriptions.get(id)).toEqual(before);
    });

    it('does not know an id that nobody has', async () => {
      await expect(update('01900000-0000-7000-8000-ffffffffffff', { active: false })).rejects.toMatchObject({
        code: 'subscription_not_found',
      });
    });
  });

  describe('what a tenant does to a circuit', () => {
    const OPEN: Circuit = {
      ...CLOSED_CIRCUIT,
      ...{ state: 'open', cause: 'why', openedAtMs: 0, failures: 10, failingSinceMs: 0, probeWaitMs: 60_000 },
      ...{ nextProbeAtMs: Infinity, epoch: 3 },
    };
    let lane: Lane;
    const stored = (): StoredSubscription => webhooks.store.subscriptions.get(lane.subscriptionId)!;

    beforeEach(async () => {
      lane = await webhooks.subscribe();
      stored().laneCircuit = OPEN;
      webhooks.dispatcher.rung.length = 0;
    });

    const patch = async (change: object): Promise<EndpointCircuit> => {
      const { transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher } =
        webhooks;
      // oxfmt-ignore
      const useCase = new UpdateSubscription(
        transactions, subscriptions, circuits, trail, vault, targets, templates, dispatcher, NO_LIMIT,
      );
      const command = { tenantId: TENANT, actor: ACTOR, id: lane.subscriptionId, ...change };
      return (await useCase.execute(command)).circuit;
    };
    const deactivated = (deactivationReason: string): void => {
      webhooks.store.deactivate(stored(), deactivationReason);
    };
    const reset = async (): Promise<Subscription> => {
      const { transactions, subscriptions, circuits, trail, dispatcher, logger } = webhooks;
      const useCase = new ResetCircuit(transactions, subscriptions, circuits, trail, dispatcher, logger);
      return useCase.execute({ tenantId: TENANT, actor: ACTOR, id: lane.subscriptionId });
    };

    it('a reset closes it, is in the trail, and rings', async () => {
      expect((await reset()).circuit).toEqual(CLOSED_ENDPOINT);
      expect(stored().laneCircuit).toMatchObject({ state: 'closed', failures: 0, ramp: 1, epoch: 4 });
      expect(webhooks.dispatcher.rung).toEqual([lane]);
      expect(webhooks.trail.entries.at(-1)).toMatchObject({
        ...{ action: 'subscription.circuit_reset', details: { state_before: 'open' } },
      });
      expect(webhooks.logger.messages('info')).toContain(
        `Webhook endpoint released: ${lane.subscriptionId} (circuit_open)`,
      );
    });

    it('a reset of what is inactive, or not there, is refused', async () => {
      deactivated('why');
      await expect(reset()).rejects.toMatchObject({ code: 'subscription_inactive' });
      lane = { ...lane, subscriptionId: 'nobody' };
      await expect(reset()).rejects.toMatchObject({ code: 'subscription_not_found' });
    });

    // Red when what was held against the old target is held against the new one.
    it('another URL closes it; the same one, a description or its events change nothing', async () => {
      for (const change of [
        { url: stored().url },
        { description: 'x' },
        { event: 'a.b' },
        { active: true },
      ]) {
        await patch(change);
        expect(stored().laneCircuit).toEqual(OPEN);
      }
      expect(webhooks.dispatcher.rung).toEqual([]);
      expect(await patch({ url: 'https://hooks.customer.com/v2' })).toEqual(CLOSED_ENDPOINT);
      expect(stored().laneCircuit).toMatchObject({ ramp: 1, epoch: 4 });
      expect(webhooks.dispatcher.rung).toEqual([lane]);
    });

    it.each([{ secret: 'another-secret' }, { settings: { timeoutSeconds: 30 } }])(
      'a probe is due at once after %j, and it rings',
      async (change) => {
        expect(await patch(change)).toMatchObject({ state: 'open', failures: 10 });
        expect(stored().laneCircuit).toEqual({ ...OPEN, nextProbeAtMs: webhooks.clock.nowMs() });
        expect(webhooks.dispatcher.rung).toEqual([lane]);
      },
    );

    // Red when what waits for what the settings were goes on waiting for it.
    it('rings where settings have changed, also of an endpoint that is well, but for one that is inactive', async () => {
      stored().laneCircuit = CLOSED_CIRCUIT;
      await patch({ description: 'x' });
      expect(webhooks.dispatcher.rung).toEqual([]);
      await patch({ settings: { rateLimit: null } });
      expect(webhooks.dispatcher.rung).toEqual([lane]);
      deactivated('why');
      await patch({ settings: { batch: null } });
      expect(webhooks.dispatcher.rung).toEqual([lane]);
    });

    it.each([
      [DEACTIVATED_BY_FAILING, 'half_open'],
      [DEACTIVATED_BY_GONE, 'closed'],
      [DEACTIVATED_BY_UPDATE, 'closed'],
    ])('activated again after "%s" it is %s', async (reason, state) => {
      deactivated(reason);
      expect(await patch({ active: true })).toMatchObject({ state });
      expect(stored().laneCircuit).toMatchObject({ failingSinceMs: null, epoch: 4 });
    });
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

  describe('SweepLanes', () => {
    it('gives expired leases back, says so, and rings what is due', async () => {
      const lane = await webhooks.subscribe();
      await webhooks.deliver();
      await webhooks.lanes.claim(lane, { limit: 1 });
      webhooks.clock.advance(60_000);
      webhooks.dispatcher.rung.length = 0;
      const { lanes, drain, dispatcher, settings, logger } = webhooks;
      await new SweepLanes(lanes, drain, dispatcher, settings, logger).execute();
      expect(dispatcher.rung).toEqual([lane]);
      expect(logger.messages('warn')).toEqual([
        'Gave back 1 deliveries whose worker stopped before recording a result',
      ]);
    });

    it('says nothing when there is nothing to give back', async () => {
      const { lanes, drain, dispatcher, settings, logger } = webhooks;
      await new SweepLanes(lanes, drain, dispatcher, settings, logger).execute();
      expect(dispatcher.rung).toEqual([]);
      expect(logger.lines).toEqual([]);
    });
  });
});
