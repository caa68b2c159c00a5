import { beforeEach, describe, expect, it } from '@jest/globals';

import { eventually } from '../../../../test/support/eventually.js';
import type { Lane } from '../domain/lane.js';
import { DEFAULT_SETTINGS, type SubscriptionSettings } from '../domain/subscription-settings.js';
import { ACTOR, InMemoryWebhooks, TENANT } from '../testing/in-memory-webhooks.js';
import { DeactivateSubscription } from './deactivate-subscription.js';
import { ENGINE_LIMITS } from './engine-limits.js';
import { PauseSubscription } from './pause-subscription.js';

describe('DrainLane', () => {
  let webhooks: InMemoryWebhooks;
  let lane: Lane;

  beforeEach(async () => {
    webhooks = new InMemoryWebhooks();
    lane = await webhooks.subscribe();
  });

  const deliver = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) await webhooks.deliver(`{"n":${n}}`);
  };
  const statuses = (): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { status } of webhooks.store.deliveries.values()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };
  /** Good answers, after which the endpoint may have all that any may: before them, one request is all. */
  const proven = async (): Promise<void> => {
    await deliver(ENGINE_LIMITS.perEndpoint);
    await drainAll();
    webhooks.sender.requests.length = 0;
    webhooks.store.deliveries.clear();
    // From here on the test gives the turns.
    webhooks.dispatcher.start(() => Promise.resolve());
  };
  /** Turns as a dispatcher gives them: again while there is more, then until what is under way is recorded. */
  const drainAll = async (): Promise<void> => {
    webhooks.dispatcher.start((rung) => webhooks.drain.execute(rung));
    webhooks.dispatcher.ring([lane]);
    await eventually(async () => {
      await webhooks.dispatcher.settled();
      expect(webhooks.drain.inFlight).toBe(0);
      expect(webhooks.drain.mustWait(lane)).toBe(false);
      expect(statuses()).not.toHaveProperty('SENDING');
    });
  };

  it('is idle when nothing is due', async () => {
    await webhooks.drain.execute(lane);
    expect(webhooks.drain.inFlight).toBe(0);
    expect(webhooks.drain.mustWait(lane)).toBe(false);
  });

  it('sends everything that is due, each once, in order', async () => {
    await deliver(50);
    await drainAll();
    expect(statuses()).toEqual({ DELIVERED: 50 });
    const bodies = webhooks.sender.requests.map(({ body }) => body);
    expect(bodies).toEqual(Array.from({ length: 50 }, (_unused, n) => `{"n":${n}}`));
  });

  // Red when the bound per endpoint is not kept: all of them would start.
  it('never has more under way to an endpoint than its bound, and ends its turn instead of waiting for it', async () => {
    await proven();
    await deliver(ENGINE_LIMITS.perEndpoint * 2);
    const release = webhooks.sender.hold();
    await webhooks.drain.execute(lane);
    await eventually(() => expect(webhooks.sender.requests.length).toBe(ENGINE_LIMITS.perEndpoint));
    expect(webhooks.drain.inFlight).toBeLessThanOrEqual(ENGINE_LIMITS.perEndpoint);
    release();
    await eventually(() => expect(statuses()).toEqual({ DELIVERED: ENGINE_LIMITS.perEndpoint * 2 }));
  });

  // Red when an endpoint has its places from the start: hundreds of new ones that hang would fill a process.
  it('lets an endpoint that has not answered yet have one request', async () => {
    await deliver(3);
    const release = webhooks.sender.hold();
    await webhooks.drain.execute(lane);
    await eventually(() => expect(webhooks.sender.requests).toHaveLength(1));
    expect(webhooks.drain.inFlight).toBe(1);
    // The sweep need not ring it: this process goes on by itself.
    expect(webhooks.drain.mustWait(lane)).toBe(true);
    release();
    await eventually(() => expect(statuses()).toEqual({ DELIVERED: 3 }));
  });

  // Red when a place comes free with the answer: while results queue up, an endpoint that fails gets request after request.
  it('sends an endpoint that failed nothing in its place before the failure is written', async () => {
    await deliver(5);
    webhooks.sender.queue(500, 500, 500, 500, 500);
    const { lanes } = webhooks;
    const record = lanes.record.bind(lanes);
    const waiting: (() => void)[] = [];
    lanes.record = async (result) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return record(result);
    };
    await webhooks.drain.execute(lane);
    await eventually(() => expect(waiting).toHaveLength(1));
    // Slots are for others at once.
    expect(webhooks.drain.inFlight).toBe(0);
    await webhooks.drain.execute(lane);
    const { least } = ENGINE_LIMITS.concurrency;
    await eventually(() => expect(waiting).toHaveLength(least));
    await webhooks.drain.execute(lane);
    expect(webhooks.sender.requests).toHaveLength(least);
    waiting[0]!();
    await eventually(() => expect(waiting).toHaveLength(least + 1));
    expect(webhooks.sender.requests).toHaveLength(least + 1);
  });

  // Red without the retry limit of a claim: they have been due for longer than what is new.
  it('keeps places for first attempts, however many retries are due', async () => {
    await proven();
    await deliver(ENGINE_LIMITS.perEndpoint * 2);
    for (const row of webhooks.store.deliveries.values()) row.isRetry = true;
    webhooks.clock.advance(1_000);
    await deliver(2);
    const release = webhooks.sender.hold();
    await webhooks.drain.execute(lane);
    const places = ENGINE_LIMITS.retriesPerEndpoint + 2;
    await eventually(() => expect(webhooks.sender.requests).toHaveLength(places));
    expect(webhooks.drain.inFlight).toBe(places);
    release();
    await eventually(() => expect(statuses()).toEqual({ DELIVERED: ENGINE_LIMITS.perEndpoint * 2 + 2 }));
  });

  it('rings again for a retry when it is due', async () => {
    await deliver(1);
    webhooks.sender.queue(500);
    await drainAll();
    expect(webhooks.dispatcher.rungLater).toEqual([{ lane, delayMs: 1_000 }]);
  });

  it('ends what waits for a deactivated subscription, without a request', async () => {
    await deliver(3);
    const { transactions, subscriptions, trail, dispatcher } = webhooks;
    await new DeactivateSubscription(transactions, subscriptions, trail, dispatcher).execute({
      tenantId: TENANT,
      actor: ACTOR,
      id: lane.subscriptionId,
    });
    await drainAll();
    expect(webhooks.sender.requests).toEqual([]);
    expect([...webhooks.store.deliveries.values()]).toMatchObject(
      Array.from({ length: 3 }, () => ({
        ...{ status: 'FAILED', attempts: 0, lastError: 'Subscription deactivated' },
      })),
    );
  });

  // Red without the check: the receiver would get an empty body.
  it('ends a delivery whose payload was removed, without a request', async () => {
    await deliver(2);
    const [event] = webhooks.store.events.values();
    event!.payload = null;
    await drainAll();
    expect(webhooks.sender.requests).toHaveLength(1);
    expect([...webhooks.store.deliveries.values()]).toMatchObject([
      { status: 'FAILED', attempts: 0, lastError: 'Payload expired' },
      { status: 'DELIVERED', attempts: 1 },
    ]);
  });

  it('rings the rest of a lane whose endpoint is gone, which then ends', async () => {
    await deliver(ENGINE_LIMITS.perEndpoint + 2);
    webhooks.sender.queue(410);
    await drainAll();
    const gone = [...webhooks.store.deliveries.values()].find(({ lastError }) => lastError === 'HTTP 410');
    expect(gone).toMatchObject({ status: 'FAILED' });
    expect(webhooks.store.subscriptions.get(lane.subscriptionId)?.active).toBe(false);
    expect(statuses()).not.toHaveProperty('PENDING');
  });

  it('stops when it is told to: what is under way is recorded, nothing new is claimed', async () => {
    await proven();
    await deliver(ENGINE_LIMITS.perEndpoint + 5);
    const release = webhooks.sender.hold();
    const turn = webhooks.drain.execute(lane);
    await eventually(() => expect(webhooks.sender.requests.length).toBe(ENGINE_LIMITS.perEndpoint));
    const stopped = webhooks.drain.stop();
    release();
    await Promise.all([turn, stopped]);
    expect(statuses()).toEqual({ DELIVERED: ENGINE_LIMITS.perEndpoint, PENDING: 5 });
    expect(webhooks.drain.inFlight).toBe(0);
    await webhooks.drain.execute(lane);
    expect(webhooks.sender.requests).toHaveLength(ENGINE_LIMITS.perEndpoint);
  });

  // Red when an attempt does not ask: the endpoint gets what another process may have delivered meanwhile.
  it.each<[string, Partial<SubscriptionSettings>]>([
    ['one by one', {}],
    ['in a batch', { batch: { maxEvents: 2, maxWaitMs: 1 } }],
  ])(
    'sends nothing that may have been taken while it stood still, until it has said that it lives: %s',
    async (_how, settings) => {
      webhooks.store.subscriptions.get(lane.subscriptionId)!.settings = { ...DEFAULT_SETTINGS, ...settings };
      await deliver(2);
      webhooks.lanes.isAlive = false;
      await webhooks.drain.execute(lane);
      await eventually(() => expect(webhooks.drain.inFlight).toBe(0));
      expect(webhooks.sender.requests).toEqual([]);
      expect(
        [...webhooks.store.deliveries.values()].map(({ status, attempts }) => [status, attempts]),
      ).toEqual([
        ['PENDING', 0],
        ['PENDING', 0],
      ]);
      webhooks.lanes.isAlive = true;
      await drainAll();
      expect(statuses()).toEqual({ DELIVERED: 2 });
    },
  );

  it('tells a waiting request that its attempt was made', async () => {
    const [id = ''] = await webhooks.deliver();
    const attempted = webhooks.watch.firstAttempts([id], 10_000);
    await webhooks.drain.execute(lane);
    await attempted;
    expect(webhooks.store.deliveries.get(id)?.status).toBe('DELIVERED');
  });

  describe('ends a turn with a verdict, and acts on it', () => {
    const pause = async (isPaused: boolean): Promise<void> => {
      const { transactions, subscriptions, pauses, trail, dispatcher, logger } = webhooks;
      const useCase = new PauseSubscription(transactions, subscriptions, pauses, trail, dispatcher, logger);
      await useCase.execute({ tenantId: TENANT, actor: ACTOR, id: lane.subscriptionId, isPaused });
    };

    it('drained: rings when the next is due', async () => {
      await deliver(1);
      webhooks.sender.queue(500);
      await webhooks.drain.execute(lane);
      await eventually(() => expect(statuses()).toEqual({ PENDING: 1 }));
      // What the attempt itself rings for comes a moment after its result.
      await eventually(() => expect(webhooks.dispatcher.rungLater).toEqual([{ lane, delayMs: 1_000 }]));
      webhooks.clock.advance(400);
      webhooks.dispatcher.rungLater.length = 0;
      expect(await webhooks.drain.execute(lane)).toEqual({ kind: 'drained', nextDueInMs: 600 });
      expect(webhooks.dispatcher.rungLater).toEqual([{ lane, delayMs: 600 }]);
    });

    // Red when the places of others are read as "nothing due": nobody would come back.
    it('full by others: looks again, less and less often, and from the start once it got something', async () => {
      await deliver(ENGINE_LIMITS.perEndpoint + 1);
      const others = webhooks.otherLanes();
      const { claims } = await others.claim(lane, { limit: ENGINE_LIMITS.perEndpoint });
      const waits = (): number[] => webhooks.dispatcher.rungLater.map(({ delayMs }) => delayMs);
      for (let n = 0; n < 8; n += 1) {
        expect(await webhooks.drain.execute(lane)).toEqual({ kind: 'full', by: 'others' });
      }
      expect(waits()).toEqual([20, 40, 80, 160, 320, 640, 1_000, 1_000]);
      await others.release(claims.slice(1));
      webhooks.dispatcher.start((rung) => webhooks.drain.execute(rung));
      webhooks.dispatcher.ring([lane]);
      await eventually(() =>
        expect(statuses()).toEqual({ DELIVERED: ENGINE_LIMITS.perEndpoint, SENDING: 1 }),
      );
    });

    // Red when a settlement does not ask, or its answer is not acted on: it would wait for the sweep.
    it('goes on with what came while a request was under way, without a ring', async () => {
      await deliver(1);
      const release = webhooks.sender.hold();
      await webhooks.drain.execute(lane);
      await deliver(3);
      release();
      await eventually(() => expect(statuses()).toEqual({ DELIVERED: 4 }));
    });

    it('more: a ring during a claim is left to whoever waits for that claim', async () => {
      await deliver(1);
      const [first, second] = await Promise.all([webhooks.drain.execute(lane), webhooks.drain.execute(lane)]);
      expect(first).not.toEqual({ kind: 'more' });
      expect(second).toEqual({ kind: 'more' });
      await eventually(() => expect(statuses()).toEqual({ DELIVERED: 1 }));
    });

    it('held: nothing goes out of a paused lane, nobody waits for it, and resuming rings', async () => {
      await pause(true);
      const [id = ''] = await webhooks.deliver();
      const attempted = webhooks.watch.firstAttempts([id], 60_000, [{ lane, id }]);
      const verdict = { kind: 'held', reason: 'paused', forMs: null };
      expect(await webhooks.drain.execute(lane)).toEqual(verdict);
      await attempted;
      expect(webhooks.sender.requests).toEqual([]);
      expect(webhooks.dispatcher.rungLater).toEqual([]);
      webhooks.dispatcher.rung.length = 0;
      await pause(false);
      expect(webhooks.dispatcher.rung).toEqual([lane]);
      await drainAll();
      expect(statuses()).toEqual({ DELIVERED: 1 });
      expect(webhooks.trail.entries.map(({ action }) => action)).toEqual(
        expect.arrayContaining(['subscription.paused', 'subscription.resumed']),
      );
    });

    // Red when the end of the probe asks nobody to go on.
    it('held: nothing goes to an endpoint that fails; a probe that arrives, and all that waits goes on', async () => {
      await deliver(14);
      // The tenth opens it; one more is under way then.
      webhooks.sender.queue(...Array<number>(11).fill(500));
      const subscription = webhooks.store.subscriptions.get(lane.subscriptionId)!;
      subscription.settings = { ...subscription.settings, retrySchedule: [] };
      await drainAll();
      expect(statuses()).toEqual({ FAILED: 11, PENDING: 3 });
      webhooks.dispatcher.start(() => Promise.resolve());
      const [id = ''] = await webhooks.deliver();
      const attempted = webhooks.watch.firstAttempts([id], 60_000, [{ lane, id }]);
      const verdict = { kind: 'held', reason: 'circuit_open', forMs: 30_000 };
      expect(await webhooks.drain.execute(lane)).toEqual(verdict);
      await attempted;
      expect(webhooks.dispatcher.rungLater).toContainEqual({ lane, delayMs: 30_000 });
      webhooks.clock.advance(30_000);
      expect(await webhooks.drain.execute(lane)).toMatchObject({ kind: 'held', reason: 'circuit_open' });
      await eventually(() => expect(statuses()).toEqual({ FAILED: 11, DELIVERED: 4 }));
      expect(webhooks.metrics.circuits).toEqual(['open', 'half_open', 'closed']);
      const lines = webhooks.logger.lines.filter(({ message }) => message.includes('endpoint'));
      expect(lines.map(({ message }) => message)).toEqual([
        `Webhook endpoint held: ${lane.subscriptionId} (circuit_open)`,
        `Webhook endpoint released: ${lane.subscriptionId} (circuit_open)`,
      ]);
    });

    it('held: rings when the rate has slots again', async () => {
      const subscription = webhooks.store.subscriptions.get(lane.subscriptionId)!;
      subscription.settings = { ...subscription.settings, rateLimit: { max: 1, perSeconds: 10 } };
      await deliver(3);
      expect(await webhooks.drain.execute(lane)).toMatchObject({ kind: 'full', by: 'us' });
      await eventually(() => expect(statuses()).toEqual({ DELIVERED: 1, PENDING: 2 }));
      await eventually(() => expect(webhooks.dispatcher.rungLater).toContainEqual({ lane, delayMs: 9_875 }));
      webhooks.clock.advance(10_000);
      await webhooks.drain.execute(lane);
      await eventually(() => expect(statuses()).toEqual({ DELIVERED: 2, PENDING: 1 }));
    });
  });
});
