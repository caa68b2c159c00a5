import { describe, expect, it } from '@jest/globals';

import type { AttemptResult } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import { deliveryDetail, MAX_RETRIES } from './attempts.js';
import { circuitActions, IN_VAIN, SOON_MS } from './circuit-actions.js';
import { deliverEvents, LEASE_MS, subscribe, type PersistenceHarness } from './harness.js';

/** How an endpoint that fails is tried again: one request at a time, and what follows from its end. */
export function laneProbesContract(current: () => PersistenceHarness): void {
  const { circuit, record, open, claim, probe, act } = circuitActions(current);

  describe('probes of an endpoint', () => {
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
  });
}
