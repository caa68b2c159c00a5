import { describe, expect, it } from '@jest/globals';

import type { OpenedLane } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import { membersOf } from '../../../src/modules/webhooks/domain/claims.js';
import type { ClaimedDelivery } from '../../../src/modules/webhooks/domain/delivery.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, MAX_RETRIES, resultOf } from './attempts.js';
import { append, LEASE_MS, subscribe, TENANT, type PersistenceHarness } from './harness.js';

const BATCHED = {
  ...DEFAULT_SETTINGS,
  batch: { maxEvents: 3, maxWaitMs: 60_000 },
};

/** Endpoints that take several events in one request. */
export function laneBatchesContract(current: () => PersistenceHarness): void {
  const emit = async (
    count: number,
    orderingKey: string | null = null,
    payload = '{}',
  ): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const result = await append(current(), { orderingKey, payload });
      if (result.kind === 'stored') ids.push(result.deliveryIds[0] ?? '');
    }
    return ids;
  };
  const requests = (claims: readonly ClaimedDelivery[]): string[][] =>
    claims.map((claim) => membersOf(claim).map(({ id }) => id));
  const open = async (lane: Lane, limit = 9): Promise<OpenedLane> => current().lanes.claim(lane, { limit });
  const claim = async (lane: Lane, limit = 9): Promise<string[][]> =>
    requests((await open(lane, limit)).claims);
  const holdOf = ({ rest }: OpenedLane): unknown => (rest.kind === 'seen' ? rest.hold : null);

  describe('batches of an endpoint', () => {
    // Red when a claim goes by what is due, or counts each delivery as a request.
    it('close at their most events, or when the first has waited long enough; each is one request', async () => {
      const lane = await subscribe(current(), { settings: BATCHED });
      const ids = await emit(7);
      const opened = await open(lane, 2);
      expect(requests(opened.claims)).toEqual([ids.slice(0, 3), ids.slice(3, 6)]);
      const first = await open(lane);
      expect(first.claims).toEqual([]);
      expect(holdOf(first)).toEqual({
        reason: 'batching',
        forMs: expect.any(Number),
      });
      const { forMs } = holdOf(first) as { forMs: number };
      expect(forMs).toBeGreaterThan(30_000);
      expect(forMs).toBeLessThanOrEqual(60_000);
      const { hold, nextAttemptAt } = await deliveryDetail(current(), ids[6]!);
      expect(hold).toEqual({
        reason: 'batching',
        until: new Date(nextAttemptAt!.getTime() + 60_000),
      });
      // One more that comes does not put it off.
      await current().elapse(40_000);
      const [late] = await emit(1);
      expect(await claim(lane)).toEqual([]);
      await current().elapse(20_001);
      expect(await claim(lane)).toEqual([[ids[6], late]]);
      const states = await Promise.all([...ids, late!].map((id) => current().stateOf(id)));
      expect(states.map(({ status, attempts }) => [status, attempts])).toEqual(
        states.map(() => ['SENDING', 1]),
      );
    });

    // Red when the sweep asks what is due alone: an open batch would be rung for nothing once a second.
    it('are swept when they are closed, in an order or not', async () => {
      const sweep = async (): Promise<unknown> => (await current().lanes.sweep(MAX_RETRIES, 100)).dueLanes;
      const lane = await subscribe(current(), { settings: BATCHED });
      const ordered = await subscribe(current(), {
        ...{ url: 'https://ordered.customer.com/', settings: { ...BATCHED, ordering: 'fifo' } },
      });
      await emit(2, 'a');
      await current().elapse(1_000);
      expect(await sweep()).toEqual([]);
      await emit(1, 'a');
      await current().elapse(1_000);
      expect(await sweep()).toEqual([lane, ordered]);
      expect(await claim(lane)).toHaveLength(1);
      expect(await claim(ordered)).toHaveLength(1);
      await emit(1, 'b');
      await current().elapse(2_000);
      expect(await sweep()).toEqual([]);
      await current().elapse(58_001);
      expect(await sweep()).toEqual(expect.arrayContaining([lane, ordered]));
    });

    it('close at a mebibyte of payloads', async () => {
      const lane = await subscribe(current(), { settings: BATCHED });
      const ids = await emit(3, null, JSON.stringify({ text: 'x'.repeat(500_000) }));
      expect(await claim(lane)).toEqual([ids.slice(0, 2)]);
      await current().elapse(60_001);
      expect(await claim(lane)).toEqual([ids.slice(2)]);
    });

    // Red when what failed is cut anew.
    it('go again with the same, until they go apart', async () => {
      const lane = await subscribe(current(), { settings: BATCHED });
      const ids = await emit(3);
      const first = await open(lane);
      for (const one of membersOf(first.claims[0]!)) await current().lanes.record(resultOf(one, failed(500)));
      await emit(1);
      await current().elapse(600);
      const again = await open(lane);
      expect(requests(again.claims)).toEqual([ids]);
      expect(again.claims[0]).toMatchObject({
        isRetry: true,
        attemptNumber: 2,
      });
      const apart = failed(500);
      for (const one of membersOf(again.claims[0]!)) {
        await current().lanes.record(
          resultOf(one, {
            ...apart,
            next: {
              status: 'PENDING',
              lastError: 'x',
              delayMs: 500,
              isApart: true,
            },
          }),
        );
      }
      await current().elapse(600);
      expect((await claim(lane)).sort()).toEqual(ids.map((id) => [id]).sort());
    });

    it('count as one where there are no more places, over all processes', async () => {
      const lane = await subscribe(current(), { settings: BATCHED });
      await emit(9);
      expect(await claim(lane, 1)).toHaveLength(1);
      const { claims, rest } = await current().otherLanes.claim(lane, {
        limit: 64,
      });
      expect(claims).toHaveLength(2);
      expect(rest).toMatchObject({ isShort: true });
    });

    it('a rate counts requests', async () => {
      const lane = await subscribe(current(), {
        settings: { ...BATCHED, rateLimit: { max: 1, perSeconds: 60 } },
      });
      const ids = await emit(6);
      const opened = await open(lane);
      expect(requests(opened.claims)).toEqual([ids.slice(0, 3)]);
      const next = await open(lane);
      expect(next.claims).toEqual([]);
      expect((holdOf(next) as { forMs: number }).forMs).toBeGreaterThan(30_000);
      const { hold } = await deliveryDetail(current(), ids[3]!);
      expect(hold).toMatchObject({ reason: 'batching' });
    });

    it('leave out who is cancelled, and take nothing along by hand', async () => {
      const lane = await subscribe(current(), { settings: BATCHED });
      const ids = await emit(3);
      const { claims } = await open(lane);
      for (const one of membersOf(claims[0]!)) await current().lanes.record(resultOf(one, failed(500)));
      await current().transactions.run(TENANT, async (transaction) => {
        const unwanted = await current().deliveries.findForUpdate(transaction, ids[1]!);
        await current().deliveries.end(transaction, unwanted!, 'Cancelled');
        await current().deliveries.requeueManually(transaction, ids[2]!);
      });
      expect(await claim(lane)).toEqual([[ids[2]]]);
      await current().elapse(600);
      expect(await claim(lane)).toEqual([[ids[0]]]);
    });

    it('are given back, and lost, as a whole', async () => {
      const lane = await subscribe(current(), { settings: BATCHED });
      const ids = await emit(3);
      const first = await open(lane);
      await current().lanes.release(first.claims);
      const again = await current().otherLanes.claim(lane, { limit: 9 });
      expect(requests(again.claims)).toEqual([ids]);
      await current().elapse(LEASE_MS + 1_000);
      expect(await current().lanes.sweep(MAX_RETRIES, 100)).toMatchObject({
        reclaimed: 3,
      });
      const third = await open(lane);
      expect(requests(third.claims)).toEqual([ids]);
      await current().lanes.hold(third.claims, 'operator', 5_000);
      expect(await claim(lane)).toEqual([]);
    });

    it('a probe is alone', async () => {
      const lane = await subscribe(current(), {
        settings: {
          ...BATCHED,
          circuit: { failures: 3, percent: 70, minAttempts: 20 },
        },
      });
      for (let n = 0; n < 3; n += 1) {
        await emit(3);
        const { claims } = await open(lane);
        const turns = [];
        for (const [nth, one] of membersOf(claims[0]!).entries()) {
          const next = {
            status: 'FAILED',
            lastError: 'HTTP 404',
            deactivate: false,
          } as const;
          const told = nth === 0 ? {} : { epoch: -1 };
          turns.push(...(await current().lanes.record(resultOf(one, { ...failed(0), next, ...told }))).turns);
        }
        // A request is one failure.
        expect(turns).toEqual(n === 2 ? ['opened'] : []);
      }
      const ids = await emit(4);
      await current().elapse(30_000);
      const { claims } = await open(lane);
      expect(requests(claims)).toEqual([[ids[0]]]);
      expect(claims).toMatchObject([{ isProbe: true }]);
    });

    it('keep the order of each key: what waits in a row, and nothing behind what is under way', async () => {
      const lane = await subscribe(current(), {
        settings: { ...BATCHED, ordering: 'fifo' },
      });
      const a = await emit(5, 'a');
      const b = await emit(1, 'b');
      const first = await open(lane);
      expect(requests(first.claims)).toEqual([a.slice(0, 3)]);
      expect(holdOf(first)).toMatchObject({ reason: 'batching' });
      await current().elapse(60_001);
      const second = await open(lane);
      expect(requests(second.claims)).toEqual([b]);
      expect(holdOf(second)).toMatchObject({ reason: 'order', forMs: null });
      for (const one of membersOf(first.claims[0]!)) await current().lanes.record(resultOf(one, failed(500)));
      expect(await claim(lane)).toEqual([]);
      await current().elapse(600);
      const again = await open(lane);
      expect(requests(again.claims)).toEqual([a.slice(0, 3)]);
      for (const one of membersOf(again.claims[0]!)) await current().lanes.record(resultOf(one));
      expect(await claim(lane)).toEqual([a.slice(3)]);
    });
  });
}
