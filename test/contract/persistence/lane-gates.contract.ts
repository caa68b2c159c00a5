import { describe, expect, it } from '@jest/globals';

import type { AttemptResult } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import type { RateLimit } from '../../../src/modules/webhooks/domain/gates/rate-limit.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, MAX_RETRIES, resultOf } from './attempts.js';
import { turnCircuit } from './circuit-actions.js';
import { claimFrom, deliverEvents, subscribe, TENANT, type PersistenceHarness } from './harness.js';

/** What a lane's gates do to claims, to births, to the sweep and to what a tenant is shown; and what a settlement tells. */
export function laneGatesContract(current: () => PersistenceHarness): void {
  const setPaused = async (id: string, isPaused: boolean, tenantId = TENANT): Promise<boolean> =>
    current().transactions.run(tenantId, (transaction) => current().pauses.set(transaction, id, isPaused));

  describe('gates of a lane', () => {
    it('a paused lane keeps everything back until it is resumed, and says so', async () => {
      const lane = await subscribe(current());
      const other = await subscribe(current(), { url: 'https://other.customer.com/' });
      expect(await setPaused(lane.subscriptionId, true)).toBe(true);
      expect(await setPaused(lane.subscriptionId, true)).toBe(false);
      const ids = await deliverEvents(current(), 2);
      const { lanes, deliveries, transactions } = current();
      expect(await lanes.claim(lane, { limit: 5 })).toEqual({
        claims: [],
        rest: {
          ...{ kind: 'seen', firstDueInMs: 0, retryDueInMs: null, isShort: false },
          hold: { reason: 'paused', forMs: null },
        },
      });
      expect(await claimFrom(lanes, other, 5)).toHaveLength(2);
      const { deliveries: shown } = await transactions.run(TENANT, (transaction) =>
        deliveries.list(transaction, { subscriptionId: lane.subscriptionId }, 10, null),
      );
      expect(shown.map(({ status, attempts, hold }) => ({ status, attempts, hold }))).toEqual(
        shown.map(() => ({ status: 'PENDING', attempts: 0, hold: { reason: 'paused', until: null } })),
      );
      const mine = shown.map(({ id }) => id).filter((id) => ids.includes(id));
      expect(mine).toHaveLength(2);
      expect((await deliveryDetail(current(), mine[0]!)).hold).toEqual({ reason: 'paused', until: null });
      expect(await setPaused(lane.subscriptionId, false)).toBe(true);
      expect((await deliveryDetail(current(), mine[0]!)).hold).toBeNull();
      expect(await claimFrom(lanes, lane, 5)).toHaveLength(2);
    });

    // Red when it lists them: they would be rung for nothing once a second, before those that can go on.
    it('the sweep does not ring a paused lane', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), 1);
      await current().elapse(1_000);
      await setPaused(lane.subscriptionId, true);
      expect((await current().lanes.sweep(MAX_RETRIES, 100)).dueLanes).toEqual([]);
      expect((await current().lanes.backlog()).oldestDueAgeMs).toBe(0);
      await setPaused(lane.subscriptionId, false);
      expect((await current().lanes.sweep(MAX_RETRIES, 100)).dueLanes).toEqual([lane]);
    });

    it('another tenant pauses nothing of it', async () => {
      const lane = await subscribe(current());
      expect(await setPaused(lane.subscriptionId, true, 'other')).toBe(false);
      await deliverEvents(current(), 1);
      expect(await claimFrom(current().lanes, lane, 5)).toHaveLength(1);
    });

    it('a subscription is shown as paused', async () => {
      const lane = await subscribe(current());
      const { subscriptions, transactions } = current();
      await setPaused(lane.subscriptionId, true);
      const [found, [listed]] = await transactions.run(TENANT, async (transaction) => [
        await subscriptions.find(transaction, lane.subscriptionId),
        await subscriptions.list(transaction, {}),
      ]);
      expect(found).toMatchObject({ isPaused: true });
      expect(listed).toMatchObject({ isPaused: true });
    });

    it('a rate lets one through for each slot, and charges what was claimed alone', async () => {
      const settings = { ...DEFAULT_SETTINGS, rateLimit: { max: 1, perSeconds: 60 } };
      const lane = await subscribe(current(), { settings });
      const { lanes, otherLanes } = current();
      // Nothing is due: no slot is used up by asking.
      expect((await lanes.claim(lane, { limit: 5 })).claims).toEqual([]);
      const ids = await deliverEvents(current(), 3);
      const first = await lanes.claim(lane, { limit: 5 });
      expect(first.claims.map(({ id, waitMs }) => [id, waitMs])).toEqual([[ids[0], 0]]);
      expect(first.rest).toMatchObject({ firstDueInMs: 0, hold: { reason: 'rate_limited' } });
      const second = await otherLanes.claim(lane, { limit: 5 });
      expect(second).toMatchObject({ claims: [], rest: { hold: { reason: 'rate_limited' } } });
      const heldMs = second.rest.kind === 'seen' ? (second.rest.hold?.forMs ?? 0) : 0;
      expect(heldMs).toBeGreaterThan(30_000);
      expect(heldMs).toBeLessThanOrEqual(60_000);
      const { hold } = await deliveryDetail(current(), ids[1]!);
      expect(hold).toMatchObject({ reason: 'rate_limited', until: expect.any(Date) });
    });

    it('a rate gives claims their slots, one after the other', async () => {
      const settings = { ...DEFAULT_SETTINGS, rateLimit: { max: 10, perSeconds: 1 } };
      const lane = await subscribe(current(), { settings });
      await deliverEvents(current(), 5);
      const { claims } = await current().lanes.claim(lane, { limit: 5 });
      expect(claims.map(({ waitMs }) => waitMs)).toEqual([0, 100, 200]);
    });

    // Red when the slot of before stays: what waits is held for the minute that nobody asks for any more.
    it('a rate that is raised, or taken away, lets go what waits for a slot of the one before', async () => {
      const slow = { max: 1, perSeconds: 60 };
      const lane = await subscribe(current(), { settings: { ...DEFAULT_SETTINGS, rateLimit: slow } });
      const { lanes, transactions, subscriptions } = current();
      const rateOf = async (rateLimit: RateLimit | null): Promise<unknown> =>
        transactions.run(TENANT, (transaction) =>
          subscriptions.update(transaction, lane.subscriptionId, {
            settings: (before) => ({ ...before, rateLimit }),
          }),
        );
      const ids = await deliverEvents(current(), 9);
      const heldMs = async (): Promise<number | null> => {
        const { rest } = await lanes.claim(lane, { limit: 5 });
        return rest.kind === 'seen' ? (rest.hold?.forMs ?? null) : null;
      };
      expect(await claimFrom(lanes, lane, 5)).toHaveLength(1);
      // The same again is no other: what was reserved stays.
      await rateOf(slow);
      expect(await heldMs()).toBeGreaterThan(30_000);
      await rateOf({ max: 1, perSeconds: 30 });
      expect(await heldMs()).toBeGreaterThan(15_000);
      expect(await heldMs()).toBeLessThanOrEqual(30_250);
      await rateOf({ max: 10, perSeconds: 1 });
      const { hold } = await deliveryDetail(current(), ids[8]!);
      expect(hold === null || hold.until!.getTime() < Date.now() + 60_000).toBe(true);
      await current().elapse(350);
      expect((await claimFrom(lanes, lane, 2)).map(({ waitMs }) => waitMs)).toEqual([0, 100]);
      await rateOf(slow);
      await current().elapse(1_000);
      expect(await claimFrom(lanes, lane, 5)).toHaveLength(1);
      expect(await claimFrom(lanes, lane, 5)).toHaveLength(0);
      await rateOf(null);
      expect((await deliveryDetail(current(), ids[8]!)).hold).toBeNull();
      expect(await claimFrom(lanes, lane, 9)).toHaveLength(5);
    });

    /** A failure whose answer asked for a while. */
    const busy = (
      statusCode: number,
      retryAfterMs: number,
      delayMs = retryAfterMs,
    ): Partial<AttemptResult> => ({
      ...failed(delayMs),
      ...{ statusCode, retryAfterMs },
    });

    // Red when the wait is the delivery's alone: the others would go on at once.
    it('an endpoint that asks for a while gets nothing before, of whatever waits, and then all of it', async () => {
      const lane = await subscribe(current());
      const [first, ...ids] = await deliverEvents(current(), 4);
      const { lanes, otherLanes } = current();
      const [claim, other] = await claimFrom(lanes, lane, 2);
      expect((await lanes.record(resultOf(claim!, busy(429, 60_000)))).turns).toEqual(['throttled']);
      // What was under way together comes back in any order: the latest counts, and a success ends nothing.
      expect((await lanes.record(resultOf(other!))).turns).toEqual([]);
      const opened = await otherLanes.claim(lane, { limit: 5 });
      expect(opened).toMatchObject({ claims: [], rest: { firstDueInMs: 0, hold: { reason: 'throttled' } } });
      const heldMs = opened.rest.kind === 'seen' ? (opened.rest.hold?.forMs ?? 0) : 0;
      expect(heldMs).toBeGreaterThan(30_000);
      expect(heldMs).toBeLessThanOrEqual(60_000);
      for (const id of [first!, ids[1]!, ids[2]!]) {
        const { hold, nextAttemptAt, ...shown } = await deliveryDetail(current(), id);
        expect(shown.status).toBe('PENDING');
        expect(hold).toEqual({ reason: 'throttled', until: expect.any(Date) });
        expect(hold!.until!.getTime()).toBeGreaterThanOrEqual(id === first ? nextAttemptAt!.getTime() : 0);
      }
      await current().elapse(1_000);
      expect((await lanes.sweep(MAX_RETRIES, 100)).dueLanes).toEqual([]);
      expect((await lanes.backlog()).oldestDueAgeMs).toBe(0);
      await current().elapse(59_500);
      expect((await lanes.sweep(MAX_RETRIES, 100)).dueLanes).toEqual([lane]);
      const claims = await claimFrom(lanes, lane, 5);
      expect(claims.map(({ id }) => id).sort()).toEqual([first!, ids[1]!, ids[2]!].sort());
      expect((await lanes.record(resultOf(claims[0]!))).turns).toEqual(['unthrottled']);
      expect((await deliveryDetail(current(), ids[2]!)).hold).toBeNull();
    });

    it('holds a lane for an hour at most, and not for what speaks of one request', async () => {
      const lane = await subscribe(current());
      const { lanes } = current();
      await deliverEvents(current(), 4);
      const [one, two, three] = await claimFrom(lanes, lane, 3);
      await lanes.record(resultOf(one!, { ...failed(9_000), retryAfterMs: 9_000 }));
      expect(await claimFrom(lanes, lane, 0)).toEqual([]);
      expect((await lanes.claim(lane, { limit: 0 })).rest).toMatchObject({ hold: null });
      await lanes.record(resultOf(two!, busy(503, 86_400_000)));
      const { rest } = await lanes.claim(lane, { limit: 1 });
      const heldMs = rest.kind === 'seen' ? (rest.hold?.forMs ?? 0) : 0;
      expect(heldMs).toBeGreaterThan(3_500_000);
      expect(heldMs).toBeLessThanOrEqual(3_600_000);
      // A shorter wait than the one in force changes nothing.
      expect((await lanes.record(resultOf(three!, busy(429, 1_000)))).turns).toEqual([]);
      expect((await lanes.claim(lane, { limit: 1 })).rest).toMatchObject({ hold: { reason: 'throttled' } });
    });

    // Red when a result of before a reset holds the lane again.
    it('a reset forgets what the endpoint asked for, and what of before comes late holds nothing', async () => {
      const lane = await subscribe(current());
      const { lanes, transactions } = current();
      await deliverEvents(current(), 3);
      const [first, late] = await claimFrom(lanes, lane, 2);
      await lanes.record(resultOf(first!, busy(503, 60_000)));
      expect(await claimFrom(lanes, lane, 5)).toEqual([]);
      await transactions.run('other', (transaction) => turnCircuit(current(), 'reset', transaction, lane));
      expect(await claimFrom(lanes, lane, 5)).toEqual([]);
      await transactions.run(TENANT, (transaction) => turnCircuit(current(), 'reset', transaction, lane));
      expect((await lanes.record(resultOf(late!, busy(429, 60_000)))).turns).toEqual([]);
      expect(await claimFrom(lanes, lane, 5)).toHaveLength(1);
    });

    it('nothing is born claimed where a gate has a say', async () => {
      const lane = await subscribe(current());
      const rated = { ...DEFAULT_SETTINGS, rateLimit: { max: 10, perSeconds: 1 } };
      await subscribe(current(), { url: 'https://rated.customer.com/', settings: rated });
      await setPaused(lane.subscriptionId, true);
      const busyLane = await subscribe(current(), { url: 'https://busy.customer.com/' });
      await deliverEvents(current(), 1);
      const [claim] = await claimFrom(current().lanes, busyLane, 1);
      await current().lanes.record(resultOf(claim!, busy(429, 60_000)));
      current().places.ofUnknown = 9;
      const result = await current().intake.accept({
        ...{ id: current().ids.next(), tenantId: TENANT, event: 'thing.done', patterns: ['thing.done'] },
        ...{ payload: '{}', fingerprint: 'f', idempotencyKey: null },
        requestedBy: { subject: 'ana', requestId: null },
      });
      expect(result).toMatchObject({ kind: 'stored', born: [] });
    });
  });

  describe('what a settlement tells', () => {
    // Red when it looks at what was due before its own results: a retry without a wait would be missed.
    it('says whether something is due, in the lanes that it is asked about', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), 3);
      const { lanes } = current();
      const [first, second] = await claimFrom(lanes, lane, 2);
      const asks = { asksForMore: true };
      expect(await lanes.record(resultOf(first!, asks))).toMatchObject({ held: true, isMoreDue: true });
      const [third] = await claimFrom(lanes, lane, 2);
      expect(await lanes.record(resultOf(second!, asks))).toMatchObject({ held: true, isMoreDue: false });
      expect(await lanes.record(resultOf(third!, { ...failed(0), ...asks }))).toMatchObject({
        isMoreDue: true,
      });
    });

    it('is not said where nobody asked', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), 2);
      const [claim] = await claimFrom(current().lanes, lane, 1);
      expect(await current().lanes.record(resultOf(claim!))).toMatchObject({ held: true, isMoreDue: false });
    });
  });
}
