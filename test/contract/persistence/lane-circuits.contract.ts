import { describe, expect, it } from '@jest/globals';

import type {
  AttemptResult,
  CircuitTurn,
  OpenedLane,
} from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import type { ClaimedDelivery } from '../../../src/modules/webhooks/domain/delivery.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import {
  DEACTIVATED_BY_FAILING,
  type EndpointCircuit,
  type Subscription,
} from '../../../src/modules/webhooks/domain/subscription.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, MAX_RETRIES, resultOf } from './attempts.js';
import { claimFrom, deliverEvents, LEASE_MS, subscribe, TENANT, type PersistenceHarness } from './harness.js';

const DAY_MS = 86_400_000;
const SOON_MS = 30_000;

/** A failed attempt that is not tried again. */
const REFUSED: Partial<AttemptResult> = {
  ...{ statusCode: 404, errorClass: 'http_4xx', error: 'HTTP 404' },
  next: { status: 'FAILED', lastError: 'HTTP 404', deactivate: false },
};
/** A probe that failed: the delivery waits on. */
const IN_VAIN: Partial<AttemptResult> = {
  ...{ statusCode: 503, errorClass: 'http_5xx', error: 'HTTP 503' },
  next: { status: 'PENDING', lastError: 'HTTP 503', delayMs: 0, isFree: true },
};
const PATIENT = {
  settings: { ...DEFAULT_SETTINGS, circuit: { failures: 100, percent: 70, minAttempts: 20 } },
};

/** What an endpoint that fails does to its lane: claims, settlements, the sweep, and what a tenant is shown and may do. */
export function laneCircuitsContract(current: () => PersistenceHarness): void {
  const subscription = async (lane: Lane): Promise<Subscription> => {
    const found = await current().transactions.run(lane.tenantId, (transaction) =>
      current().subscriptions.find(transaction, lane.subscriptionId),
    );
    return found!;
  };
  const circuit = async (lane: Lane): Promise<EndpointCircuit> => (await subscription(lane)).circuit;
  const record = async (
    claim: ClaimedDelivery,
    change: Partial<AttemptResult> = {},
  ): Promise<CircuitTurn[]> => [...(await current().lanes.record(resultOf(claim, change))).turns];
  /** Deliveries that end one after the other: `F` and `S`. @returns what became of the circuit */
  const attempts = async (lane: Lane, outcomes: string): Promise<CircuitTurn[]> => {
    const turns: CircuitTurn[] = [];
    for (const outcome of outcomes) {
      await deliverEvents(current(), 1);
      const [claim] = await claimFrom(current().lanes, lane, 1);
      turns.push(...(await record(claim!, outcome === 'S' ? {} : REFUSED)));
    }
    return turns;
  };
  const open = async (lane: Lane): Promise<void> => {
    expect(await attempts(lane, 'F'.repeat(10))).toEqual(['opened']);
  };
  const claim = async (lane: Lane, limit = 5): Promise<OpenedLane> => current().lanes.claim(lane, { limit });
  /** The probe, when it is time for one. */
  const probe = async (lane: Lane, lanes = current().lanes): Promise<ClaimedDelivery> => {
    const { claims } = await lanes.claim(lane, { limit: 5 });
    expect(claims).toMatchObject([{ isProbe: true }]);
    return claims[0]!;
  };
  const act = async (work: 'reset' | 'probeSoon' | 'probeFirst', lane: Lane, id?: string): Promise<boolean> =>
    current().transactions.run(TENANT, (transaction) =>
      current().circuits[work](transaction, lane.subscriptionId, id),
    );

  describe('the circuit of an endpoint', () => {
    // Red when nine are enough, or when a success does not reset what was counted.
    it('stays closed after nine failures in a row, and after nine more behind one that arrived', async () => {
      const lane = await subscribe(current());
      expect(await attempts(lane, `${'F'.repeat(9)}S${'F'.repeat(9)}`)).toEqual([]);
      expect(await circuit(lane)).toEqual({
        ...{ state: 'closed', cause: null, openedAt: null, nextProbeAt: null, failures: 9 },
      });
      await deliverEvents(current(), 2);
      expect(await claimFrom(current().lanes, lane, 5)).toMatchObject([
        { isProbe: false },
        { isProbe: false },
      ]);
    });

    // Red when a claim does not ask the circuit.
    it('opens at the tenth: nothing is sent any more, and everything is held and says so', async () => {
      const lane = await subscribe(current());
      const twin = await subscribe(current(), { event: 'other.done' });
      await open(lane);
      const { state, cause, failures, nextProbeAt, openedAt } = await circuit(lane);
      expect({ state, cause, failures }).toEqual({
        ...{ state: 'open', cause: '10 failed attempts in a row; the last: HTTP 404', failures: 10 },
      });
      expect(nextProbeAt!.getTime() - openedAt!.getTime()).toBe(SOON_MS);
      const ids = await deliverEvents(current(), 2);
      const opened = await claim(lane);
      expect(opened).toMatchObject({
        claims: [],
        rest: { hold: { reason: 'circuit_open' }, firstDueInMs: 0 },
      });
      const heldMs = opened.rest.kind === 'seen' ? (opened.rest.hold?.forMs ?? 0) : 0;
      expect(heldMs).toBeGreaterThan(SOON_MS / 2);
      expect(heldMs).toBeLessThanOrEqual(SOON_MS);
      expect(await deliveryDetail(current(), ids[1]!)).toMatchObject({
        ...{ status: 'PENDING', attempts: 0, lastError: null },
        hold: { reason: 'circuit_open', until: nextProbeAt },
      });
      // The same target, and another subscription: it has failed nobody.
      expect(await circuit(twin)).toMatchObject({ state: 'closed', failures: 0 });
    });

    it.each([
      ['fourteen of twenty', 'SSSSSSFFFFFFFFFFFFFF', 'open'],
      ['thirteen of twenty', 'SSSSSSSFFFFFFFFFFFFF', 'closed'],
      ['fourteen of twenty that are mixed', 'SFFSFFSFFSFFSFFSFFFF', 'open'],
      ['nineteen of nineteen', 'F'.repeat(19), 'closed'],
      ['twenty of twenty', 'F'.repeat(20), 'open'],
    ])('opens by the share of those that failed: %s', async (_what, outcomes, state) => {
      const lane = await subscribe(current(), PATIENT);
      await attempts(lane, outcomes);
      expect(await circuit(lane)).toMatchObject({ state });
    });

    it('forgets by the share what ended five minutes ago', async () => {
      const lane = await subscribe(current(), PATIENT);
      await attempts(lane, 'F'.repeat(19));
      await current().elapse(330_000);
      await attempts(lane, 'F'.repeat(2));
      expect(await circuit(lane)).toMatchObject({ state: 'closed', failures: 21 });
    });

    // Red when what was under way counts: each of them would put the probe off, or open it once more.
    it('opens once for what failed together, and takes no result of before', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), 12);
      const { claims } = await current().lanes.claim(lane, { limit: 12 });
      const told = await Promise.all(
        claims
          .slice(0, 11)
          .map((one, n) =>
            (n % 2 === 0 ? current().lanes : current().otherLanes).record(resultOf(one, REFUSED)),
          ),
      );
      expect(told.flatMap(({ turns }) => turns)).toEqual(['opened']);
      expect(await circuit(lane)).toMatchObject({ state: 'open', failures: 10 });
      // One that arrives after all says that it is worth a probe, and no more.
      expect(await record(claims[11]!)).toEqual([]);
      expect(await circuit(lane)).toMatchObject({ state: 'open', failures: 10 });
      await deliverEvents(current(), 1);
      await probe(lane);
    });

    // Red when the lane's row does not say that a probe is under way.
    it('sends one probe at a time, whichever process asks', async () => {
      const lane = await subscribe(current());
      await open(lane);
      const ids = await deliverEvents(current(), 3);
      await current().elapse(SOON_MS - 2_000);
      expect((await claim(lane)).claims).toEqual([]);
      await current().elapse(2_000);
      const opened = await Promise.all([
        claim(lane),
        current().otherLanes.claim(lane, { limit: 5 }),
        claim(lane),
      ]);
      expect(opened.flatMap(({ claims }) => claims)).toMatchObject([{ id: ids[0], isProbe: true }]);
      expect(await circuit(lane)).toMatchObject({ state: 'half_open', nextProbeAt: null });
      expect((await deliveryDetail(current(), ids[1]!)).hold).toEqual({
        reason: 'circuit_open',
        until: null,
      });
      expect(await current().otherLanes.claim(lane, { limit: 5 })).toMatchObject({
        ...{ claims: [], rest: { hold: { reason: 'circuit_open', forMs: expect.any(Number) } } },
      });
    });

    it('closes with a probe that arrives, and then more go out with each one that does', async () => {
      const lane = await subscribe(current());
      await open(lane);
      await deliverEvents(current(), 20);
      await current().elapse(SOON_MS);
      expect(await record(await probe(lane))).toEqual(['closed']);
      expect(await circuit(lane)).toEqual({
        ...{ state: 'closed', cause: null, openedAt: null, nextProbeAt: null, failures: 0 },
      });
      for (const places of [1, 2, 4]) {
        const { claims, rest } = await claim(lane, 20);
        expect(claims).toHaveLength(places);
        expect(claims.every(({ isProbe }) => !isProbe)).toBe(true);
        expect(rest).toMatchObject({ isShort: true, hold: null });
        // Those of another process as well.
        expect((await current().otherLanes.claim(lane, { limit: 20 })).claims).toEqual([]);
        const [first, ...others] = claims;
        for (const one of others) await current().lanes.release([one]);
        await record(first!);
      }
    });

    it('waits twice as long after a probe that failed, which costs the delivery nothing', async () => {
      const lane = await subscribe(current());
      await open(lane);
      const [id] = await deliverEvents(current(), 1);
      for (const waitMs of [SOON_MS, 60_000, 120_000]) {
        await current().elapse(waitMs - 2_000);
        expect((await claim(lane)).claims).toEqual([]);
        await current().elapse(2_000);
        expect(await record(await probe(lane), IN_VAIN)).toEqual(['reopened']);
      }
      expect(await circuit(lane)).toMatchObject({ state: 'open', failures: 13 });
      const shown = await deliveryDetail(current(), id!);
      expect(shown).toMatchObject({ status: 'PENDING', attempts: 3, lastError: 'HTTP 503' });
      expect(shown.attemptLog.map(({ isProbe }) => isProbe)).toEqual([true, true, true]);
      expect(await current().stateOf(id!)).toMatchObject({ autoAttempts: 0 });
      // Every attempt of its schedule is still there.
      await current().elapse(240_000);
      expect(await probe(lane)).toMatchObject({ id, attemptNumber: 4, autoAttempts: 1 });
    });

    it('probes with what was probed least, then with what has waited longest', async () => {
      const lane = await subscribe(current());
      await open(lane);
      const ids = await deliverEvents(current(), 3);
      await current().elapse(SOON_MS);
      const probed: string[] = [];
      for (let n = 0; n < 4; n += 1) {
        const one = await probe(lane);
        probed.push(one.id);
        await record(one, IN_VAIN);
        await current().elapse(3_600_000);
      }
      expect(probed).toEqual([...ids, ids[0]]);
    });

    it('leaves a probe that is too much, or that its template stopped, without a longer wait', async () => {
      const lane = await subscribe(current());
      await open(lane);
      await deliverEvents(current(), 2);
      await current().elapse(SOON_MS);
      const template: Partial<AttemptResult> = {
        ...{ statusCode: null, errorClass: 'template_error', error: 'Template error: x' },
        next: { status: 'FAILED', lastError: 'Template error: x', deactivate: false },
      };
      const first = await probe(lane);
      await record(first, template);
      const second = await probe(lane);
      expect(second.id).not.toBe(first.id);
      await record(second, { ...IN_VAIN, statusCode: 429, retryAfterMs: 300_000 });
      const { state, nextProbeAt } = await circuit(lane);
      expect(state).toBe('open');
      await current().elapse(298_000);
      expect((await claim(lane)).claims).toEqual([]);
      expect(nextProbeAt).not.toBeNull();
      await current().elapse(2_000);
      await record(await probe(lane), IN_VAIN);
      await current().elapse(58_000);
      expect((await claim(lane)).claims).toEqual([]);
      await current().elapse(2_000);
      await probe(lane);
    });

    // Red when the lane waits for a probe whose process is dead, or waits longer for it.
    it('lets another probe begin when the lease of one ends, without a longer wait', async () => {
      const lane = await subscribe(current());
      await open(lane);
      const [id] = await deliverEvents(current(), 1);
      await current().elapse(SOON_MS);
      const dead = await probe(lane, current().otherLanes);
      await current().elapse(LEASE_MS + 1_000);
      expect(await current().lanes.sweep(MAX_RETRIES, 10)).toMatchObject({ reclaimed: 1 });
      expect(await circuit(lane)).toMatchObject({ state: 'open' });
      const next = await probe(lane);
      expect(next.id).toBe(id);
      // The dead one comes back: its result is of before.
      expect(await record(dead, IN_VAIN)).toEqual([]);
      expect(await circuit(lane)).toMatchObject({ state: 'half_open', failures: 10 });
      await record(next, IN_VAIN);
      await current().elapse(58_000);
      expect((await claim(lane)).claims).toEqual([]);
      await current().elapse(2_000);
      await probe(lane);
    });

    it.each(['release', 'abandon', 'hold'] as const)('lets another probe begin after a %s', async (how) => {
      const lane = await subscribe(current());
      await open(lane);
      await deliverEvents(current(), 1);
      await current().elapse(SOON_MS);
      const one = await probe(lane);
      if (how === 'release') await current().lanes.release([one]);
      else if (how === 'abandon') await current().lanes.abandon([one], 'Payload expired');
      else await current().lanes.hold([one], 'operator', 1_000);
      expect(await circuit(lane)).toMatchObject({ state: 'open' });
      await current().elapse(2_000);
      await deliverEvents(current(), 1);
      await probe(lane);
    });

    // Red when the sweep lists it: it would be rung for nothing once a second.
    it('is not swept before it is time for a probe, nor counted as late', async () => {
      const lane = await subscribe(current());
      await open(lane);
      await deliverEvents(current(), 1);
      await current().elapse(SOON_MS - 5_000);
      expect((await current().lanes.sweep(MAX_RETRIES, 10)).dueLanes).toEqual([]);
      expect(await current().lanes.backlog()).toEqual({ oldestDueAgeMs: 0, pending: 1 });
      await current().elapse(5_000);
      expect((await current().lanes.sweep(MAX_RETRIES, 10)).dueLanes).toEqual([lane]);
    });

    it('bears nothing claimed before it is closed and at its full pace', async () => {
      const lane = await subscribe(current());
      await open(lane);
      current().places.ofUnknown = 9;
      const accept = async (): Promise<unknown> =>
        current().intake.accept({
          ...{ id: current().ids.next(), tenantId: TENANT, event: 'thing.done', patterns: ['thing.done'] },
          ...{ payload: '{}', fingerprint: 'f', idempotencyKey: null },
          requestedBy: { subject: 'ana', requestId: null },
        });
      expect(await accept()).toMatchObject({ kind: 'stored', born: [] });
      await act('reset', lane);
      expect(await accept()).toMatchObject({ kind: 'stored', born: [] });
      const places = [1, 2, 4];
      for (const _place of places) for (const one of (await claim(lane, 9)).claims) await record(one);
      await attempts(lane, 'S'.repeat(6));
      const result = await accept();
      expect(result).toMatchObject({ born: [{ claims: [{ epoch: 2, isProbe: false }] }] });
    });

    it('closes when it is reset, and what was under way counts for nothing', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), 12);
      const { claims } = await current().lanes.claim(lane, { limit: 12 });
      await act('reset', lane);
      for (const one of claims) expect(await record(one, REFUSED)).toEqual([]);
      expect(await circuit(lane)).toMatchObject({ state: 'closed', failures: 0 });
      await open(lane);
      await act('reset', lane);
      expect(await circuit(lane)).toEqual({
        ...{ state: 'closed', cause: null, openedAt: null, nextProbeAt: null, failures: 0 },
      });
      await deliverEvents(current(), 3);
      expect(await claimFrom(current().lanes, lane, 5)).toHaveLength(1);
    });

    it('probes at once with what somebody asks for', async () => {
      const lane = await subscribe(current());
      await open(lane);
      const ids = await deliverEvents(current(), 3);
      await act('probeSoon', lane, ids[2]);
      expect(await probe(lane)).toMatchObject({ id: ids[2] });
      // While it is under way, another is asked for: that one follows it.
      await act('probeSoon', lane, ids[1]);
      expect((await claim(lane)).claims).toEqual([]);
    });

    it('follows a probe that failed with the one that was asked for meanwhile', async () => {
      const lane = await subscribe(current());
      await open(lane);
      const ids = await deliverEvents(current(), 3);
      await act('probeSoon', lane);
      const first = await probe(lane);
      await act('probeSoon', lane, ids[2]);
      await record(first, IN_VAIN);
      expect(await probe(lane)).toMatchObject({ id: ids[2] });
    });

    it('says whether what somebody does to it turned anything', async () => {
      const lane = await subscribe(current());
      for (const work of ['reset', 'probeSoon'] as const) expect(await act(work, lane)).toBe(false);
      await open(lane);
      const [asked] = await deliverEvents(current(), 1);
      expect(await act('probeSoon', lane)).toBe(true);
      // It is due already, and under way.
      expect(await act('probeSoon', lane, asked)).toBe(false);
      await probe(lane);
      expect(await act('probeSoon', lane)).toBe(false);
      expect(await act('reset', lane)).toBe(true);
      expect(await act('reset', lane)).toBe(false);
      expect(await act('probeFirst', lane)).toBe(true);
      expect(await act('reset', { ...lane, subscriptionId: current().ids.next() })).toBe(false);
    });

    it('another tenant changes nothing of it', async () => {
      const lane = await subscribe(current());
      await open(lane);
      for (const work of ['reset', 'probeSoon', 'probeFirst'] as const) {
        await current().transactions.run('other', (transaction) =>
          current().circuits[work](transaction, lane.subscriptionId),
        );
      }
      expect(await circuit(lane)).toMatchObject({ state: 'open', failures: 10 });
    });

    it('ends the subscription with a probe that fails after five days of failures, and says why', async () => {
      const lane = await subscribe(current());
      await open(lane);
      const ids = await deliverEvents(current(), 2);
      await current().elapse(5 * DAY_MS - 60_000);
      expect(await record(await probe(lane), IN_VAIN)).toEqual(['reopened']);
      expect(await subscription(lane)).toMatchObject({ active: true });
      await current().elapse(60_000);
      expect(await record(await probe(lane), { ...IN_VAIN, statusCode: 429 })).toEqual(['reopened']);
      await current().elapse(60_000);
      expect(await record(await probe(lane), IN_VAIN)).toEqual(['reopened', 'given_up']);
      expect(await subscription(lane)).toMatchObject({
        ...{ active: false, deactivationReason: DEACTIVATED_BY_FAILING, deactivatedAt: expect.any(Date) },
      });
      for (const id of ids) {
        expect(await deliveryDetail(current(), id)).toMatchObject({
          ...{ status: 'FAILED', lastError: 'Subscription deactivated' },
        });
      }
    });

    it('has its five days again after it was activated again, beginning with a probe', async () => {
      const lane = await subscribe(current());
      await open(lane);
      await current().elapse(6 * DAY_MS);
      await act('probeFirst', lane);
      expect(await circuit(lane)).toMatchObject({ state: 'half_open', nextProbeAt: null });
      await deliverEvents(current(), 2);
      expect(await record(await probe(lane), IN_VAIN)).toEqual(['reopened']);
      expect(await subscription(lane)).toMatchObject({ active: true });
    });

    it('counts a result once, and only while its lease holds', async () => {
      const lane = await subscribe(current());
      await deliverEvents(current(), 1);
      const [one] = await claimFrom(current().lanes, lane, 1);
      await record(one!, failed(0));
      await record(one!, failed(0));
      expect(await circuit(lane)).toMatchObject({ failures: 1 });
    });
  });
}
