import { describe, expect, it } from '@jest/globals';

import { DEACTIVATED_BY_FAILING } from '../../../src/modules/webhooks/domain/subscription.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, MAX_RETRIES, resultOf } from './attempts.js';
import { circuitActions, IN_VAIN, REFUSED, SOON_MS, turnCircuit } from './circuit-actions.js';
import { claimFrom, deliverEvents, subscribe, TENANT, type PersistenceHarness } from './harness.js';

const DAY_MS = 86_400_000;
const PATIENT = {
  settings: { ...DEFAULT_SETTINGS, circuit: { failures: 100, percent: 70, minAttempts: 20 } },
};

/** What an endpoint that fails does to its lane: claims, settlements, the sweep, and what a tenant is shown and may do. */
export function laneCircuitsContract(current: () => PersistenceHarness): void {
  const { subscription, circuit, record, attempts, open, claim, probe, act } = circuitActions(current);

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

    // Red when a settlement of several writes one of them, or tells one of another's failures.
    it('counts what failed at several endpoints together, each for itself', async () => {
      const urls = ['https://a.customer.com/', 'https://b.customer.com/', 'https://c.customer.com/'];
      const [down, ill, well] = await Promise.all(urls.map((url) => subscribe(current(), { url })));
      await deliverEvents(current(), 10);
      const failures = new Map([
        [down!, 10],
        [ill!, 3],
        [well!, 0],
      ]);
      const claims = await Promise.all(
        [...failures].map(async ([lane, count]) =>
          (await claimFrom(current().lanes, lane, 10)).map((one, n) =>
            resultOf(one, n >= 10 - count ? REFUSED : {}),
          ),
        ),
      );
      const told = await Promise.all(claims.flat().map((result) => current().lanes.record(result)));
      expect(told.flatMap(({ turns }) => turns)).toEqual(['opened']);
      expect(await circuit(down!)).toMatchObject({ state: 'open', failures: 10 });
      expect(await circuit(ill!)).toMatchObject({ state: 'closed', failures: 3 });
      expect(await circuit(well!)).toMatchObject({ state: 'closed', failures: 0 });
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
          turnCircuit(current(), work, transaction, lane),
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
