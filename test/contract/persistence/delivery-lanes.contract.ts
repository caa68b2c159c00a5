import { describe, expect, it } from '@jest/globals';

import type { SweepResult } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import type { DeliveryDetail } from '../../../src/modules/webhooks/application/ports/delivery-repository.js';
import { SUBSCRIPTION_DEACTIVATED } from '../../../src/modules/webhooks/domain/delivery.js';
import type { Subscription } from '../../../src/modules/webhooks/domain/subscription.js';
import { deliveryDetail, failed, MAX_RETRIES, resultOf } from './attempts.js';
import { deliverEvents, LEASE_MS, subscribe, TENANT, type PersistenceHarness, claimFrom } from './harness.js';

/** What DeliveryLanes promises about what was claimed. */
export function deliveryLanesContract(current: () => PersistenceHarness): void {
  describe('DeliveryLanes', () => {
    const detailOf = async (id: string): Promise<DeliveryDetail> => deliveryDetail(current(), id);
    const subscriptionOf = async (id: string): Promise<Subscription | null> =>
      current().transactions.run(TENANT, (transaction) => current().subscriptions.find(transaction, id));
    const sweep = async (): Promise<SweepResult> => current().lanes.sweep(MAX_RETRIES, 100);

    describe('record', () => {
      it('writes a success with its attempt', async () => {
        const lane = await subscribe(current());
        const [id] = await deliverEvents(current(), 1);
        const [claim] = await claimFrom(current().lanes, lane, 1);
        expect(await current().lanes.record(resultOf(claim!))).toEqual({
          held: true,
          isMoreDue: false,
          turns: [],
        });
        expect(await detailOf(id!)).toMatchObject({
          ...{ status: 'DELIVERED', attempts: 1, lastError: null, nextAttemptAt: null },
          lastAttempt: { durationMs: 12, statusCode: 200, errorClass: null },
          attemptLog: [
            {
              ...{ number: 1, trigger: 'auto', startedAt: expect.any(Date), durationMs: 12, statusCode: 200 },
              ...{ errorClass: null, error: null, responseBody: 'ok', requestHeaders: { 'X-Event': 'e' } },
              responseHeaders: { server: 'x' },
            },
          ],
        });
      });

      it('writes a failure that waits for its next attempt, and one that ends it', async () => {
        const lane = await subscribe(current());
        const [id] = await deliverEvents(current(), 1);
        const [first] = await claimFrom(current().lanes, lane, 1);
        await current().lanes.record(resultOf(first!, failed(2_000)));
        expect(await detailOf(id!)).toMatchObject({
          ...{ status: 'PENDING', lastError: 'HTTP 500', nextAttemptAt: expect.any(Date) },
          lastAttempt: { durationMs: 12, statusCode: 500, errorClass: 'http_5xx' },
        });
        await current().elapse(3_000);
        const [second] = await claimFrom(current().lanes, lane, 1);
        const next = { status: 'FAILED', lastError: 'HTTP 404', deactivate: false } as const;
        await current().lanes.record(resultOf(second!, { statusCode: 404, next }));
        const ended = await detailOf(id!);
        expect(ended).toMatchObject({ status: 'FAILED', lastError: 'HTTP 404', nextAttemptAt: null });
        expect(ended.attemptLog.map(({ number, statusCode }) => [number, statusCode])).toEqual([
          [1, 500],
          [2, 404],
        ]);
        expect(await subscriptionOf(lane.subscriptionId)).toMatchObject({ active: true });
      });

      it('deactivates the subscription of an endpoint that is gone, and ends what waits for it', async () => {
        const lane = await subscribe(current());
        const [, waiting] = await deliverEvents(current(), 2);
        const [claim] = await claimFrom(current().lanes, lane, 1);
        const next = { status: 'FAILED', lastError: 'HTTP 410', deactivate: true } as const;
        await current().lanes.record(resultOf(claim!, { statusCode: 410, next }));
        expect(await subscriptionOf(lane.subscriptionId)).toMatchObject({
          ...{ active: false, deactivationReason: 'The endpoint answered 410 Gone' },
        });
        expect(await detailOf(waiting!)).toMatchObject({
          ...{ status: 'FAILED', attempts: 0, lastError: SUBSCRIPTION_DEACTIVATED, nextAttemptAt: null },
        });
      });

      // Red when a result is written as it is: the delivery would wait for an attempt that never comes.
      it('ends what would be tried again when its subscription was deactivated meanwhile', async () => {
        const lane = await subscribe(current());
        const [failing, arriving] = await deliverEvents(current(), 2);
        const [first, second] = await claimFrom(current().lanes, lane, 2);
        const { subscriptions, transactions } = current();
        await transactions.run(TENANT, (transaction) =>
          subscriptions.deactivate(transaction, lane.subscriptionId, 'why'),
        );
        await current().lanes.record(resultOf(first!, failed(3_600_000)));
        await current().lanes.record(resultOf(second!));
        const ended = await detailOf(failing!);
        expect(ended).toMatchObject({
          ...{ status: 'FAILED', attempts: 1, lastError: SUBSCRIPTION_DEACTIVATED, nextAttemptAt: null },
        });
        // What became of the attempt itself is told by its log.
        expect(ended.attemptLog).toMatchObject([{ number: 1, statusCode: 500, error: 'HTTP 500' }]);
        expect(await detailOf(arriving!)).toMatchObject({ status: 'DELIVERED', lastError: null });
      });

      // Red when the state is written without looking at the lease token.
      it('logs an attempt whose lease was lost, and leaves the delivery to the newer one', async () => {
        const lane = await subscribe(current());
        const [id] = await deliverEvents(current(), 1);
        const [frozen] = await claimFrom(current().lanes, lane, 1);
        await current().elapse(LEASE_MS + 1_000);
        await sweep();
        const [newer] = await claimFrom(current().lanes, lane, 1);
        expect(newer).toMatchObject({ id, attemptNumber: 2 });
        expect(newer!.leaseToken).not.toBe(frozen!.leaseToken);
        const next = { status: 'FAILED', lastError: 'HTTP 410', deactivate: true } as const;
        expect(await current().lanes.record(resultOf(frozen!, { statusCode: 410, next }))).toMatchObject({
          held: false,
        });
        const detail = await detailOf(id!);
        expect(detail).toMatchObject({ status: 'SENDING', attempts: 2 });
        expect(detail.attemptLog).toMatchObject([{ number: 1, statusCode: 410 }]);
        expect(await subscriptionOf(lane.subscriptionId)).toMatchObject({ active: true });
        expect(await current().lanes.record(resultOf(newer!))).toMatchObject({ held: true });
        expect(await detailOf(id!)).toMatchObject({ status: 'DELIVERED' });
      });

      // Red when one statement meets them both: it then writes neither, nor any other result beside them, however often it is tried.
      it('writes two results of one attempt at once, whose claim a crash took back and somebody made again', async () => {
        const { lanes } = current();
        const lane = await subscribe(current());
        const [id, beside] = await deliverEvents(current(), 2);
        const [claim, other] = await claimFrom(lanes, lane, 2);
        const lost = { ...claim!, leaseToken: '00000000-0000-7000-8000-000000000001' };
        const recorded = await Promise.all([lost, claim!, other!].map((one) => lanes.record(resultOf(one))));
        expect(recorded).toMatchObject([{ held: false }, { held: true }, { held: true }]);
        expect(await detailOf(id!)).toMatchObject({ status: 'DELIVERED', attemptLog: [{ number: 1 }] });
        expect(await detailOf(beside!)).toMatchObject({ status: 'DELIVERED' });
      });

      it('writes many at once, each to its own', async () => {
        const lane = await subscribe(current());
        const ids = await deliverEvents(current(), 5);
        const claims = await claimFrom(current().lanes, lane, 5);
        const held = await Promise.all(
          claims.map((claim, n) =>
            current().lanes.record(resultOf(claim, n === 2 ? failed(1_000) : { responseBody: `${n}` })),
          ),
        );
        expect(held).toEqual(claims.map(() => ({ held: true, isMoreDue: false, turns: [] })));
        const statuses = await Promise.all(ids.map(async (id) => (await detailOf(id)).status));
        expect(statuses).toEqual(['DELIVERED', 'DELIVERED', 'PENDING', 'DELIVERED', 'DELIVERED']);
        expect((await detailOf(ids[4]!)).attemptLog).toMatchObject([{ responseBody: '4' }]);
      });
    });

    it('release gives claims back untouched, also a manual one', async () => {
      const { deliveries, lanes, transactions } = current();
      const lane = await subscribe(current());
      const [id] = await deliverEvents(current(), 1);
      for (const trigger of ['auto', 'manual'] as const) {
        if (trigger === 'manual')
          await transactions.run(TENANT, (transaction) => deliveries.requeueManually(transaction, id!));
        const claims = await claimFrom(lanes, lane, 1);
        expect(claims).toMatchObject([{ trigger, attemptNumber: 1 }]);
        await lanes.release(claims);
        expect(await detailOf(id!)).toMatchObject({ status: 'PENDING', attempts: 0, attemptLog: [] });
      }
      const [again] = await claimFrom(lanes, lane, 1);
      expect(again).toMatchObject({ trigger: 'manual', attemptNumber: 1, autoAttempts: 0 });
    });

    it('hold gives claims back untouched for a while, with all that is due in their lane, and says why', async () => {
      const { deliveries, lanes, transactions } = current();
      const lane = await subscribe(current());
      const other = await subscribe(current(), { url: 'https://other.customer.com/' });
      const count = 3;
      await deliverEvents(current(), count);
      const [mine] = await claimFrom(lanes, lane, 1);
      await lanes.hold([mine!], 'operator', 60_000);
      const held = await detailOf(mine!.id);
      expect(held).toMatchObject({ status: 'PENDING', attempts: 0, lastError: null, attemptLog: [] });
      expect(held.hold).toEqual({ reason: 'operator', until: held.nextAttemptAt });
      // Nothing of the lane is due, also what was never claimed; other lanes go on.
      expect(await claimFrom(lanes, lane, 10)).toEqual([]);
      const others = await claimFrom(lanes, other, 10);
      expect(others).toHaveLength(count);
      // A retry of somebody who does not want to wait ends the hold; the next turn may hold it again.
      await transactions.run(TENANT, (transaction) => deliveries.requeueManually(transaction, mine!.id));
      expect((await detailOf(mine!.id)).hold).toBeNull();
      const [manual] = await claimFrom(lanes, lane, 10);
      expect(manual).toMatchObject({ id: mine!.id, trigger: 'manual', attemptNumber: 1 });
      expect((await detailOf(mine!.id)).hold).toBeNull();
      await lanes.hold([manual!], 'operator', 60_000);
      await current().elapse(61_000);
      const again = await claimFrom(lanes, lane, 10);
      expect(again).toHaveLength(count);
      expect(again.find(({ id }) => id === mine!.id)).toMatchObject({ trigger: 'manual', attemptNumber: 1 });
      await lanes.record(resultOf(again[0]!, failed(1_000)));
      expect(await detailOf(again[0]!.id)).toMatchObject({ hold: null, attempts: 1 });
    });

    it('abandon ends claims without an attempt', async () => {
      const lane = await subscribe(current());
      const [id] = await deliverEvents(current(), 1);
      const claims = await claimFrom(current().lanes, lane, 1);
      await current().lanes.abandon(claims, 'Subscription deactivated');
      expect(await detailOf(id!)).toMatchObject({
        ...{ status: 'FAILED', lastError: 'Subscription deactivated', attempts: 0 },
        ...{ nextAttemptAt: null, attemptLog: [] },
      });
    });

    it('release, abandon and hold leave what another lease holds by now', async () => {
      const lane = await subscribe(current());
      const [id] = await deliverEvents(current(), 1);
      const old = await claimFrom(current().lanes, lane, 1);
      await current().elapse(LEASE_MS + 1_000);
      await sweep();
      await claimFrom(current().lanes, lane, 1);
      await current().lanes.release(old);
      await current().lanes.abandon(old, 'given up');
      await current().lanes.hold(old, 'operator', 60_000);
      expect(await detailOf(id!)).toMatchObject({ status: 'SENDING', attempts: 2, hold: null });
    });
  });
}
