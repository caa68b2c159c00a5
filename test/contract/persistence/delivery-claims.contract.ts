import { describe, expect, it } from '@jest/globals';

import { ENGINE_LIMITS } from '../../../src/modules/webhooks/application/engine-limits.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, resultOf } from './attempts.js';
import { claimFrom, deliverEvents, subscribe, TENANT, type PersistenceHarness } from './harness.js';

/** What a claim promises to the drain. */
export function deliveryClaimsContract(current: () => PersistenceHarness): void {
  describe('DeliveryLanes claim', () => {
    it('takes what is due, oldest first, up to the limit, with all that an attempt needs', async () => {
      const lane = await subscribe(current());
      const ids = await deliverEvents(current(), 3);
      const claims = await claimFrom(current().lanes, lane, 2);
      expect(claims.map(({ id }) => id)).toEqual(ids.slice(0, 2));
      expect(claims[0]).toEqual({
        eventId: expect.any(String),
        ...{ id: ids[0], ...lane, event: 'thing.done', payload: '{"n":0}', attemptNumber: 1 },
        payloadExpired: false,
        ...{ autoAttempts: 1, trigger: 'auto', isRetry: false, waitMs: 0, leaseToken: expect.any(String) },
        ...{ epoch: 0, isProbe: false, sealedPreviousSecret: null, settings: null },
        ...{ targetUrl: 'https://hooks.customer.com/in', subscriptionActive: true },
        sealedSecret: `sealed ${lane.subscriptionId}`,
      });
      expect((await claimFrom(current().lanes, lane, 10)).map(({ id }) => id)).toEqual(ids.slice(2));
    });

    it('counts the attempt when it claims, before anything is sent', async () => {
      const lane = await subscribe(current());
      const [id] = await deliverEvents(current(), 1);
      await claimFrom(current().lanes, lane, 1);
      expect(await deliveryDetail(current(), id!)).toMatchObject({
        status: 'SENDING',
        attempts: 1,
        nextAttemptAt: null,
      });
    });

    it('leaves other lanes and what is not due yet', async () => {
      const lane = await subscribe(current());
      await subscribe(current(), { url: 'https://other.customer.com/' });
      await deliverEvents(current(), 1);
      const [claim] = await claimFrom(current().lanes, lane, 10);
      await current().lanes.record(resultOf(claim!, failed(60_000)));
      expect(await claimFrom(current().lanes, lane, 10)).toEqual([]);
      await current().elapse(61_000);
      expect(await claimFrom(current().lanes, lane, 10)).toMatchObject([{ id: claim!.id, attemptNumber: 2 }]);
    });

    it('puts one that waits for its retry behind those that were due before it', async () => {
      const lane = await subscribe(current());
      const [retried, ...fresh] = await deliverEvents(current(), 3);
      const [claim] = await claimFrom(current().lanes, lane, 1);
      await current().lanes.record(resultOf(claim!, failed(1_000)));
      await current().elapse(2_000);
      const order: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        order.push(...(await claimFrom(current().lanes, lane, 1)).map(({ id }) => id));
      }
      expect(order).toEqual([...fresh, retried]);
    });

    // Red when retries are not bounded in the claim: they have been due for longer, and take every place.
    it('takes no more retries than it is told to, nor than an endpoint may get, and first attempts beside them', async () => {
      const circuit = { failures: 100, percent: 100, minAttempts: 1_000 };
      const lane = await subscribe(current(), { settings: { ...DEFAULT_SETTINGS, circuit } });
      const ids = await deliverEvents(current(), ENGINE_LIMITS.perEndpoint);
      const first = await claimFrom(current().lanes, lane, 100);
      for (const claim of first) await current().lanes.record(resultOf(claim, failed(1_000)));
      await current().elapse(2_000);
      const fresh = await deliverEvents(current(), ENGINE_LIMITS.perEndpoint);
      const some = await claimFrom(current().otherLanes, lane, 5, 2);
      expect(some.filter(({ isRetry }) => isRetry)).toHaveLength(2);
      expect(some).toHaveLength(5);
      const rest = await claimFrom(current().lanes, lane, 100);
      const taken = [...some, ...rest];
      expect(taken).toHaveLength(ENGINE_LIMITS.perEndpoint);
      const retried = taken.filter(({ isRetry }) => isRetry).map(({ id }) => id);
      expect(retried).toHaveLength(ENGINE_LIMITS.retriesPerEndpoint);
      expect(retried.every((id) => ids.includes(id))).toBe(true);
      expect(taken.filter(({ isRetry }) => !isRetry).every(({ id }) => fresh.includes(id))).toBe(true);
    });

    // Red when the bound is not counted in the claim itself, or without a lock on the lane.
    it('never has more under way in a lane than an endpoint may get, however many processes claim at once', async () => {
      const lane = await subscribe(current());
      const { lanes, otherLanes } = current();
      await deliverEvents(current(), ENGINE_LIMITS.perEndpoint + 4);
      const taken = { mine: 0, others: 0 };
      const mine = async (limit: number): Promise<number> => {
        const { claims } = await lanes.claim(lane, { limit, taken: taken.mine });
        taken.mine += claims.length;
        return claims.length;
      };
      const others = async (limit: number): Promise<number> => {
        const { claims } = await otherLanes.claim(lane, { limit, taken: taken.others });
        taken.others += claims.length;
        return claims.length;
      };
      for (let round = 0; round < 4; round += 1) {
        await Promise.all([mine(10), others(10)]);
        expect(taken.mine + taken.others).toBeLessThanOrEqual(ENGINE_LIMITS.perEndpoint);
      }
      while ((await mine(100)) + (await others(100)) > 0);
      expect(taken.mine + taken.others).toBe(ENGINE_LIMITS.perEndpoint);
    });

    // Red when the claim does not tell: a ring that finds every place taken by another process would be lost.
    it('tells when there was less room than was asked for', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), ENGINE_LIMITS.perEndpoint + 1);
      const { lanes, otherLanes } = current();
      const all = { limit: ENGINE_LIMITS.perEndpoint };
      const rest = { kind: 'seen', firstDueInMs: 0, retryDueInMs: null, hold: null };
      expect((await otherLanes.claim(lane, all)).rest).toEqual({ ...rest, isShort: false });
      expect(await lanes.claim(lane, { limit: 1 })).toEqual({
        claims: [],
        rest: { ...rest, isShort: true },
      });
    });

    it('says that a subscription was deactivated, and sends to its URL of now', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), 2);
      const { subscriptions, transactions } = current();
      const { subscriptionId: id } = lane;
      await transactions.run(TENANT, (transaction) =>
        subscriptions.update(transaction, id, { url: 'https://moved.customer.com/', sealedSecret: 'new' }),
      );
      const now = { targetUrl: 'https://moved.customer.com/', sealedSecret: 'new' };
      const held = await claimFrom(current().lanes, lane, 1);
      expect(held).toMatchObject([{ ...now, subscriptionActive: true }]);
      await transactions.run(TENANT, (transaction) => subscriptions.deactivate(transaction, id, 'why'));
      // Only what was under way at that moment is still there to be claimed.
      await current().lanes.release(held);
      expect(await claimFrom(current().lanes, lane, 1)).toMatchObject([
        { ...now, subscriptionActive: false },
      ]);
    });
  });
}
