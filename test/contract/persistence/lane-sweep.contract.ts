import { describe, expect, it } from '@jest/globals';

import type { SweepResult } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import { FREE_INTERRUPTIONS } from '../../../src/modules/webhooks/domain/delivery.js';
import { deliveryDetail, failed, MAX_RETRIES, resultOf } from './attempts.js';
import type { RetrySchedule } from '../../../src/modules/webhooks/domain/retry-schedule.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliverEvents, LEASE_MS, subscribe, type PersistenceHarness, claimFrom } from './harness.js';

const INTERRUPTED = 'Connection error: interrupted, the worker stopped before recording a result';
/** Milliseconds, longer than the sweep leaves a due delivery to its own ring. */
const GRACE_MS = 1_000;

/** What the sweeping half of DeliveryLanes promises: enough for correctness on its own. */
export function laneSweepContract(current: () => PersistenceHarness): void {
  describe('DeliveryLanes', () => {
    const detailOf = async (id: string) => deliveryDetail(current(), id);
    const sweep = async (): Promise<SweepResult> => current().lanes.sweep(MAX_RETRIES, 100);

    describe('sweep', () => {
      it('lists each lane with something due once, of every tenant', async () => {
        const mine = await subscribe(current());
        const waiting = await subscribe(current(), { url: 'https://waiting.customer.com/' });
        await subscribe(current(), { event: 'never.sent' });
        await deliverEvents(current(), 2);
        for (const claim of await claimFrom(current().lanes, waiting, 10))
          await current().lanes.record(resultOf(claim, failed(3_600_000)));
        await current().elapse(GRACE_MS);
        expect(await sweep()).toEqual({ reclaimed: 0, dueLanes: [mine] });
      });

      it('gives all lanes their turn when there are more than it may list', async () => {
        const lanes = [];
        for (let n = 0; n < 5; n += 1)
          lanes.push(await subscribe(current(), { url: `https://h${n}.customer.com/` }));
        await deliverEvents(current(), 1);
        await current().elapse(GRACE_MS);
        const seen = new Set<string>();
        for (let sweeps = 0; sweeps < 6; sweeps += 1) {
          const { dueLanes } = await current().lanes.sweep(MAX_RETRIES, 2);
          expect(dueLanes.length).toBeLessThanOrEqual(2);
          for (const { subscriptionId } of dueLanes) seen.add(subscriptionId);
        }
        expect(seen).toEqual(new Set(lanes.map(({ subscriptionId }) => subscriptionId)));
      });

      it('leaves a lease that still runs', async () => {
        const lane = await subscribe(current());
        const [id] = await deliverEvents(current(), 1);
        await claimFrom(current().lanes, lane, 1);
        await current().elapse(LEASE_MS - 5_000);
        expect(await sweep()).toMatchObject({ reclaimed: 0 });
        expect(await detailOf(id!)).toMatchObject({ status: 'SENDING' });
      });

      it.each([
        [1, 6_000],
        [30, 35_000],
      ])(
        'gives a subscription with a time budget of %d s a lease of %d ms',
        async (timeoutSeconds, leaseMs) => {
          const settings = { ...DEFAULT_SETTINGS, timeoutSeconds };
          const lane = await subscribe(current(), { settings });
          await deliverEvents(current(), 1);
          await claimFrom(current().lanes, lane, 1);
          await current().elapse(leaseMs - 3_000);
          expect(await sweep()).toMatchObject({ reclaimed: 0 });
          await current().elapse(4_000);
          expect(await sweep()).toMatchObject({ reclaimed: 1 });
        },
      );

      it('gives an expired lease back as due, with the interrupted attempt in the log', async () => {
        const lane = await subscribe(current());
        const [id] = await deliverEvents(current(), 1);
        await claimFrom(current().lanes, lane, 1);
        await current().elapse(LEASE_MS + 1_000);
        expect(await sweep()).toMatchObject({ reclaimed: 1 });
        expect(await detailOf(id!)).toMatchObject({
          ...{ status: 'PENDING', attempts: 1, lastError: INTERRUPTED },
          lastAttempt: { durationMs: expect.any(Number), statusCode: null, errorClass: 'other' },
          attemptLog: [{ number: 1, statusCode: null, errorClass: 'other', error: INTERRUPTED }],
        });
        expect(await sweep()).toMatchObject({ reclaimed: 0 });
        expect(await claimFrom(current().lanes, lane, 1)).toMatchObject([
          { id, attemptNumber: 2, autoAttempts: 1 },
        ]);
      });

      // Red when the give-back never counts: a poison delivery would be tried for ever. Red when it counts at once: a crash
      // would use up what the receiver never saw.
      it.each<[RetrySchedule, number]>([
        ['default', MAX_RETRIES],
        [[5], 1],
        [[], 0],
        ['standard', 9],
      ])(
        'ends a delivery whose schedule (%j) is used up; the first interruptions use up none',
        async (retrySchedule, retries) => {
          const settings = { ...DEFAULT_SETTINGS, retrySchedule };
          const lane = await subscribe(current(), { settings });
          const [id] = await deliverEvents(current(), 1);
          const all = retries + 1 + FREE_INTERRUPTIONS;
          for (let attempt = 1; attempt <= all; attempt += 1) {
            expect(await claimFrom(current().lanes, lane, 1)).toMatchObject([{ attemptNumber: attempt }]);
            await current().elapse(LEASE_MS + 1_000);
            expect(await sweep()).toMatchObject({ reclaimed: 1 });
          }
          expect(await claimFrom(current().lanes, lane, 1)).toEqual([]);
          const ended = await detailOf(id!);
          expect(ended).toMatchObject({
            status: 'FAILED',
            attempts: all,
            lastError: INTERRUPTED,
            nextAttemptAt: null,
          });
          expect(ended.attemptLog).toHaveLength(all);
        },
      );

      it('gives each expired lease back once, when two sweep at the same time', async () => {
        const lane = await subscribe(current());
        await deliverEvents(current(), 6);
        await claimFrom(current().lanes, lane, 6);
        await current().elapse(LEASE_MS + 1_000);
        const swept = await Promise.all([sweep(), sweep(), sweep()]);
        expect(swept.reduce((sum, { reclaimed }) => sum + reclaimed, 0)).toBe(6);
      });
    });

    it('backlog tells how many wait and how long the first has been due', async () => {
      expect(await current().lanes.backlog()).toEqual({ oldestDueAgeMs: 0, pending: 0 });
      const lane = await subscribe(current());
      await deliverEvents(current(), 3);
      await current().elapse(5_000);
      const { oldestDueAgeMs, pending } = await current().lanes.backlog();
      expect(pending).toBe(3);
      expect(oldestDueAgeMs).toBeGreaterThanOrEqual(5_000);
      for (const claim of await claimFrom(current().lanes, lane, 3))
        await current().lanes.record(resultOf(claim, failed(60_000)));
      expect(await current().lanes.backlog()).toEqual({ oldestDueAgeMs: 0, pending: 3 });
    });
  });
}
