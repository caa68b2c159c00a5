import { describe, expect, it } from '@jest/globals';

import type { ClaimedDelivery } from '../../../src/modules/webhooks/domain/delivery.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, MAX_RETRIES, resultOf } from './attempts.js';
import {
  append,
  claimFrom,
  LEASE_MS,
  newEvent,
  subscribe,
  TENANT,
  type PersistenceHarness,
} from './harness.js';

const FIFO = { settings: { ...DEFAULT_SETTINGS, ordering: 'fifo' as const } };
const REFUSED = {
  ...{ statusCode: 404, errorClass: 'http_4xx' as const, error: 'HTTP 404' },
  next: { status: 'FAILED' as const, lastError: 'HTTP 404', deactivate: false },
};

/** Endpoints that want their events in order: one of each key at a time, the next when the one before has ended. */
export function laneOrderContract(current: () => PersistenceHarness): void {
  const emit = async (orderingKey: string | null = null): Promise<string> => {
    const result = await append(current(), { orderingKey });
    return result.kind === 'stored' ? (result.deliveryIds[0] ?? '') : '';
  };
  const ids = (claims: readonly ClaimedDelivery[]): string[] => claims.map(({ id }) => id);
  const claim = async (lane: Lane, limit = 9): Promise<readonly ClaimedDelivery[]> =>
    claimFrom(current().lanes, lane, limit);
  const holdOf = async (lane: Lane): Promise<unknown> => {
    const { rest } = await current().lanes.claim(lane, { limit: 9 });
    return rest.kind === 'seen' ? rest.hold : null;
  };
  /** As somebody who wants it to be sent now. */
  const retry = async (id: string): Promise<void> =>
    current().transactions.run(TENANT, (transaction) =>
      current().deliveries.requeueManually(transaction, id),
    );
  const blockerOf = async (id: string): Promise<string | null> =>
    current().transactions.run(TENANT, async (transaction) => {
      const locked = await current().deliveries.findForUpdate(transaction, id);
      return locked?.blocker?.id ?? null;
    });

  describe('the order of an endpoint', () => {
    // Red when a claim goes by what is due: all three would be claimed.
    it('is one at a time, over all processes, and says what each one waits for', async () => {
      const lane = await subscribe(current(), FIFO);
      const [first, second, third] = [await emit(), await emit(), await emit()];
      const { lanes, otherLanes } = current();
      const [head, ...more] = await claim(lane);
      expect([head!.id, more]).toEqual([first, []]);
      expect(await claimFrom(otherLanes, lane, 9)).toEqual([]);
      expect(await holdOf(lane)).toEqual({ reason: 'order', forMs: null });
      for (const id of [second, third]) {
        const { hold, status, attempts } = await deliveryDetail(current(), id);
        expect({ hold, status, attempts }).toEqual({
          ...{ hold: { reason: 'order', until: null, blockedBy: first }, status: 'PENDING', attempts: 0 },
        });
      }
      await lanes.record(resultOf(head!));
      expect((await deliveryDetail(current(), second)).hold).toBeNull();
      expect((await deliveryDetail(current(), third)).hold).toMatchObject({ blockedBy: second });
      const next = await claimFrom(otherLanes, lane, 9);
      expect(ids(next)).toEqual([second]);
      await otherLanes.record(resultOf(next[0]!, REFUSED));
      expect(ids(await claim(lane))).toEqual([third]);
    });

    // Red when what failed is only one of those that are due: the others would overtake it.
    it('waits for a retry, and says until when', async () => {
      const lane = await subscribe(current(), FIFO);
      const [first, second] = [await emit(), await emit()];
      const [head] = await claim(lane);
      await current().lanes.record(resultOf(head!, failed(20_000)));
      const hold = await holdOf(lane);
      expect(hold).toEqual({ reason: 'order', forMs: expect.any(Number) });
      expect((hold as { forMs: number }).forMs).toBeGreaterThan(15_000);
      const { nextAttemptAt, hold: ofFirst } = await deliveryDetail(current(), first);
      expect(ofFirst).toBeNull();
      expect((await deliveryDetail(current(), second)).hold).toEqual({
        ...{ reason: 'order', until: nextAttemptAt, blockedBy: first },
      });
      // There is nothing to ring it for.
      await current().elapse(1_000);
      expect((await current().lanes.sweep(MAX_RETRIES, 100)).dueLanes).toEqual([]);
      expect((await current().lanes.backlog()).oldestDueAgeMs).toBe(0);
      await current().elapse(19_500);
      expect((await current().lanes.sweep(MAX_RETRIES, 100)).dueLanes).toEqual([lane]);
      const again = await claim(lane);
      expect(ids(again)).toEqual([first]);
      await current().lanes.record(resultOf(again[0]!));
      expect(ids(await claim(lane))).toEqual([second]);
    });

    it('is that of each key, and one that is stuck stops no other', async () => {
      const lane = await subscribe(current(), FIFO);
      const first = { a: await emit('a'), b: await emit('b'), none: await emit() };
      const second = { a: await emit('a'), b: await emit('b'), none: await emit() };
      const heads = await claim(lane);
      expect(ids(heads).sort()).toEqual([first.a, first.b, first.none].sort());
      const of = (id: string): ClaimedDelivery => heads.find((one) => one.id === id)!;
      await current().lanes.record(resultOf(of(first.a), failed(60_000)));
      await current().lanes.record(resultOf(of(first.b)));
      expect(ids(await claim(lane))).toEqual([second.b]);
      await current().lanes.record(resultOf(of(first.none)));
      expect(ids(await claim(lane))).toEqual([second.none]);
      expect(await blockerOf(second.a)).toBe(first.a);
      expect(await blockerOf(first.a)).toBeNull();
    });

    // Red when keys are asked in the same order each time: with one place, the last of them would wait for all others.
    it('gives every key its turn, however few go at a time', async () => {
      const lane = await subscribe(current(), FIFO);
      for (const key of ['a', 'b', 'c']) for (let n = 0; n < 3; n += 1) await emit(key);
      const seen: string[] = [];
      for (let n = 0; n < 9; n += 1) {
        const [one] = await claim(lane, 1);
        const { orderingKey } = await current().orderOf(one!.id);
        seen.push(orderingKey ?? '');
        await current().lanes.record(resultOf(one!));
      }
      expect(new Set(seen.slice(0, 3)).size).toBe(3);
      expect(new Set(seen.slice(3, 6)).size).toBe(3);
    });

    // The worker dies: what was under way is the next again, and nothing overtakes it meanwhile.
    it('waits for the lease of a process that died', async () => {
      const lane = await subscribe(current(), FIFO);
      const [first, second] = [await emit(), await emit()];
      expect(ids(await claimFrom(current().otherLanes, lane, 9))).toEqual([first]);
      await current().elapse(LEASE_MS - 1_000);
      expect(await claim(lane)).toEqual([]);
      await current().elapse(2_000);
      expect(await claim(lane)).toEqual([]);
      expect(await current().lanes.sweep(MAX_RETRIES, 100)).toMatchObject({ reclaimed: 1, dueLanes: [lane] });
      expect(ids(await claim(lane))).toEqual([first]);
      expect(await blockerOf(second)).toBe(first);
    });

    it('goes on when what blocks it is cancelled, or given back', async () => {
      const lane = await subscribe(current(), FIFO);
      const [first, second] = [await emit(), await emit()];
      const [head] = await claim(lane);
      await current().lanes.release([head!]);
      const [again] = await claim(lane);
      expect(again!.id).toBe(first);
      await current().lanes.record(resultOf(again!, failed(60_000)));
      expect(await claim(lane)).toEqual([]);
      await current().transactions.run(TENANT, async (transaction) => {
        const found = await current().deliveries.findForUpdate(transaction, first);
        await current().deliveries.end(transaction, found!, 'Cancelled');
      });
      expect(ids(await claim(lane))).toEqual([second]);
    });

    // Red when what is sent again keeps its place: while it waits for its retry, everything behind it would.
    it('sends again by sequence, before what waits, and its failure blocks nothing', async () => {
      const lane = await subscribe(current(), FIFO);
      const [first, second] = [await emit(), await emit()];
      for (const id of [first, second]) {
        const [head] = await claim(lane);
        expect(head!.id).toBe(id);
        await current().lanes.record(resultOf(head!, REFUSED));
      }
      const third = await emit();
      await retry(second);
      await retry(first);
      const [one] = await claim(lane);
      expect(one).toMatchObject({ id: first, trigger: 'manual' });
      await current().lanes.record(resultOf(one!, failed(60_000)));
      const [two] = await claim(lane);
      expect(two!.id).toBe(second);
      await current().lanes.record(resultOf(two!));
      expect(ids(await claim(lane))).toEqual([third]);
    });

    it('keeps the place of what waits when somebody wants it now', async () => {
      const lane = await subscribe(current(), FIFO);
      const [first, second] = [await emit(), await emit()];
      const [head] = await claim(lane);
      await current().lanes.record(resultOf(head!, failed(60_000)));
      await retry(first);
      const [again] = await claim(lane);
      expect(again).toMatchObject({ id: first, trigger: 'manual' });
      await current().lanes.record(resultOf(again!, failed(60_000)));
      expect(await claim(lane)).toEqual([]);
      expect(await blockerOf(second)).toBe(first);
    });

    it('probes an open circuit with the head, and keeps the order', async () => {
      const lane = await subscribe(current(), {
        settings: { ...FIFO.settings, circuit: { failures: 3, percent: 70, minAttempts: 20 } },
      });
      for (let n = 0; n < 3; n += 1) {
        await emit();
        const [head] = await claim(lane);
        await current().lanes.record(resultOf(head!, REFUSED));
      }
      const [first, second] = [await emit(), await emit()];
      expect(await holdOf(lane)).toMatchObject({ reason: 'circuit_open' });
      await current().elapse(30_000);
      const [probe] = await claim(lane);
      expect(probe).toMatchObject({ id: first, isProbe: true });
      await current().lanes.record(
        resultOf(probe!, {
          ...failed(0),
          next: { status: 'PENDING', lastError: 'x', delayMs: 0, isFree: true },
        }),
      );
      await current().elapse(60_000);
      const [again] = await claim(lane);
      expect(again).toMatchObject({ id: first, isProbe: true });
      await current().lanes.record(resultOf(again!));
      expect(ids(await claim(lane))).toEqual([second]);
    });

    it('begins with what is there when it is wanted, and ends when it is not', async () => {
      const lane = await subscribe(current());
      const change = async (ordering: 'fifo' | 'unordered'): Promise<void> => {
        await current().transactions.run(TENANT, (transaction) =>
          current().subscriptions.update(transaction, lane.subscriptionId, {
            settings: (before) => ({ ...before, ordering }),
          }),
        );
      };
      const before = [await emit('a'), await emit('a'), await emit('b')];
      const [underWay] = await claim(lane, 1);
      expect(underWay!.id).toBe(before[0]);
      await change('fifo');
      const after = await emit('a');
      expect(ids(await claim(lane))).toEqual([before[2]]);
      await current().lanes.record(resultOf(underWay!));
      const [next] = await claim(lane);
      expect(next!.id).toBe(before[1]);
      await current().lanes.record(resultOf(next!, failed(60_000)));
      expect(await claim(lane)).toEqual([]);
      await change('unordered');
      expect(ids(await claim(lane))).toEqual([after]);
    });

    it('is kept where requests store them, and nothing is born claimed', async () => {
      const lane = await subscribe(current(), FIFO);
      current().places.ofUnknown = 9;
      const accept = async (orderingKey: string | null): Promise<string> => {
        const { id, tenantId, event, patterns, payload } = newEvent(current());
        const requested = { id, tenantId, event, patterns, payload, orderingKey, fingerprint: 'f' };
        const result = await current().intake.accept({
          ...{ ...requested, idempotencyKey: null, requestedBy: { subject: 'ana', requestId: null } },
        });
        expect(result).toMatchObject({ kind: 'stored', born: [] });
        return result.kind === 'stored' ? (result.deliveryIds[0] ?? '') : '';
      };
      // Together they share a statement.
      const [first, second, other] = await Promise.all([accept('a'), accept('a'), accept('b')]);
      expect(ids(await claim(lane)).sort()).toEqual([first, other].sort());
      expect(await blockerOf(second)).toBe(first);
      expect(await current().orderOf(other)).toMatchObject({ orderingKey: 'b' });
    });
  });
}
