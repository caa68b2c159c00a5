import { describe, expect, it } from '@jest/globals';

import type { DeliveryFilter } from '../../../src/modules/webhooks/application/ports/delivery-repository.js';
import type { Transaction } from '../../../src/modules/webhooks/application/ports/transaction.js';
import { SCHEDULE_OVER } from '../../../src/modules/webhooks/domain/delivery.js';
import { eventually } from '../../support/eventually.js';
import { failed, resultOf } from './attempts.js';
import { append, deliverEvents, subscribe, TENANT, type PersistenceHarness, claimFrom } from './harness.js';

/** What DeliveryRepository promises to the API. */
export function deliveryRepositoryContract(current: () => PersistenceHarness): void {
  describe('DeliveryRepository', () => {
    const run = async <T>(work: (transaction: Transaction) => Promise<T>, tenantId = TENANT): Promise<T> =>
      current().transactions.run(tenantId, work);
    const page = async (
      filter: DeliveryFilter = {},
      limit = 100,
      afterId: string | null = null,
    ): Promise<{ ids: string[]; hasMore: boolean }> => {
      const { deliveries, hasMore } = await run((transaction) =>
        current().deliveries.list(transaction, filter, limit, afterId),
      );
      return { ids: deliveries.map(({ id }) => id), hasMore };
    };

    it('shows a new delivery as waiting, due, never attempted', async () => {
      const lane = await subscribe(current());
      const eventId = current().ids.next();
      await append(current(), { id: eventId });
      const { deliveries } = await run((transaction) => current().deliveries.list(transaction, {}, 1, null));
      expect(deliveries[0]).toEqual({
        ...{ id: expect.any(String), ...lane, eventId, event: 'thing.done', status: 'PENDING', attempts: 0 },
        ...{ targetUrl: 'https://hooks.customer.com/in', lastError: null, lastAttempt: null },
        ...{
          nextAttemptAt: expect.any(Date),
          hold: null,
          createdAt: expect.any(Date),
          updatedAt: expect.any(Date),
        },
      });
    });

    it('lists newest first in pages that neither repeat nor skip', async () => {
      await subscribe(current());
      const newestFirst = (await deliverEvents(current(), 5)).reverse();
      expect(await page()).toEqual({ ids: newestFirst, hasMore: false });
      expect(await page({}, 2)).toEqual({ ids: newestFirst.slice(0, 2), hasMore: true });
      expect(await page({}, 2, newestFirst[1])).toEqual({ ids: newestFirst.slice(2, 4), hasMore: true });
      expect(await page({}, 2, newestFirst[3])).toEqual({ ids: newestFirst.slice(4), hasMore: false });
      expect(await page({}, 5)).toMatchObject({ hasMore: false });
    });

    it('filters by event, status, subscription and time, together', async () => {
      const first = await subscribe(current());
      const second = await subscribe(current(), { event: 'other.done' });
      const [mine] = await deliverEvents(current(), 1);
      await append(current(), { event: 'other.done', patterns: ['other.done'] });
      await claimFrom(current().lanes, first, 1);
      expect((await page({ event: 'thing.done' })).ids).toEqual([mine]);
      expect((await page({ status: 'SENDING' })).ids).toEqual([mine]);
      expect((await page({ subscriptionId: first.subscriptionId })).ids).toEqual([mine]);
      expect((await page({ subscriptionId: second.subscriptionId })).ids).toHaveLength(1);
      expect((await page({ event: 'thing.done', status: 'FAILED' })).ids).toEqual([]);
      const { deliveries } = await run((transaction) =>
        current().deliveries.list(transaction, { event: 'thing.done' }, 1, null),
      );
      const { createdAt } = deliveries[0]!;
      const longAgo = new Date(createdAt.getTime() - 60_000);
      const later = new Date(createdAt.getTime() + 60_000);
      expect((await page({ since: longAgo, until: later })).ids).toHaveLength(2);
      expect((await page({ since: later })).ids).toEqual([]);
      expect((await page({ until: longAgo })).ids).toEqual([]);
    });

    it('filters by what the last attempt came to', async () => {
      const lane = await subscribe(current());
      const [arrived, refused, late, waiting] = await deliverEvents(current(), 4);
      const claims = await claimFrom(current().lanes, lane, 3);
      const next = { status: 'FAILED', lastError: 'why', deactivate: false } as const;
      const came = [
        {},
        { statusCode: 404, errorClass: 'http_4xx', next },
        { statusCode: null, errorClass: 'timeout', next },
      ] as const;
      for (const [n, change] of came.entries()) await current().lanes.record(resultOf(claims[n]!, change));
      expect((await page({ httpClass: '2xx' })).ids).toEqual([arrived]);
      expect((await page({ httpClass: '4xx' })).ids).toEqual([refused]);
      expect((await page({ errorClass: 'http_4xx', httpClass: '4xx' })).ids).toEqual([refused]);
      expect((await page({ errorClass: 'timeout', status: 'FAILED' })).ids).toEqual([late]);
      for (const none of [
        { httpClass: '5xx' },
        { errorClass: 'timeout', httpClass: '4xx' },
        { errorClass: 'timeout', httpClass: '2xx' },
        { errorClass: 'timeout', status: 'DELIVERED' },
        { errorClass: 'timeout', status: 'PENDING' },
        { httpClass: '2xx', status: 'FAILED' },
      ] as const)
        expect((await page(none)).ids).toEqual([]);
      // The last attempt is what it was while another is asked for.
      await run((transaction) => current().deliveries.requeueManually(transaction, refused!));
      expect((await page({ httpClass: '4xx', status: 'PENDING' })).ids).toEqual([refused]);
      expect((await page({ status: 'PENDING' })).ids.sort()).toEqual([refused, waiting].sort());
    });

    it('finds by ids, and by what an event is about', async () => {
      const lane = await subscribe(current());
      const other = await subscribe(current(), { event: 'other.done' });
      const eventId = current().ids.next();
      await append(current(), { id: eventId, payload: '{"resource_id":"F-1","id":"x"}' });
      await append(current(), { payload: '{"id":42}' });
      await append(current(), { event: 'other.done', patterns: ['other.done'], payload: '{"id":"F-1"}' });
      const { ids: all } = await page();
      const [last, second, first] = all;
      expect((await page({ q: first })).ids).toEqual([first]);
      expect((await page({ q: eventId })).ids).toEqual([first]);
      expect((await page({ q: lane.subscriptionId })).ids).toEqual([second, first]);
      expect((await page({ q: 'F-1' })).ids).toEqual([last, first]);
      expect((await page({ q: 'F-1' }, 1, last)).ids).toEqual([first]);
      expect((await page({ q: '42' })).ids).toEqual([second]);
      expect((await page({ q: 'F-1', event: 'thing.done', status: 'PENDING' })).ids).toEqual([first]);
      expect((await page({ q: lane.subscriptionId, subscriptionId: other.subscriptionId })).ids).toEqual([]);
      for (const q of ['x', 'f-1', 'F', '%', '01900000-0000-7000-8000-ffffffffffff'])
        expect((await page({ q })).ids).toEqual([]);
      const theirs = await run(
        (transaction) => current().deliveries.list(transaction, { q: 'F-1' }, 10, null),
        'other',
      );
      expect(theirs.deliveries).toEqual([]);
    });

    it('shows, locks and changes nothing of an id that is unknown or another tenant’s', async () => {
      const { deliveries } = current();
      await subscribe(current());
      const [mine] = await deliverEvents(current(), 1);
      const known = await run((transaction) => deliveries.findDetail(transaction, mine!));
      for (const id of [mine!, '01900000-0000-7000-8000-ffffffffffff']) {
        await run(async (transaction) => {
          expect(await deliveries.findDetail(transaction, id)).toBeNull();
          expect(await deliveries.findForUpdate(transaction, id)).toBeNull();
          await deliveries.requeueManually(transaction, id);
          await deliveries.end(transaction, { ...known!, id }, 'not theirs');
        }, 'other');
      }
      expect(await run((transaction) => deliveries.findDetail(transaction, mine!))).toMatchObject({
        ...{ id: mine, status: 'PENDING', payload: '{"n":0}', attemptLog: [] },
      });
    });

    it('makes a delivery due now, as a manual attempt', async () => {
      const { deliveries, lanes } = current();
      const lane = await subscribe(current());
      const [id] = await deliverEvents(current(), 1);
      const [claim] = await claimFrom(lanes, lane, 1);
      await lanes.abandon([claim!], 'given up');
      expect(await claimFrom(lanes, lane, 1)).toEqual([]);
      await run((transaction) => deliveries.requeueManually(transaction, id!));
      const found = await run((transaction) => deliveries.findForUpdate(transaction, id!));
      expect(found).toMatchObject({
        ...{
          status: 'PENDING',
          nextAttemptAt: expect.any(Date),
          payloadExpired: false,
          subscriptionActive: true,
        },
      });
      expect(await claimFrom(lanes, lane, 1)).toMatchObject([
        { id, trigger: 'manual', autoAttempts: SCHEDULE_OVER },
      ]);
    });

    // Red when what was sent again in vain goes on with what is left of its schedule.
    it('lets the schedule go on of one that was asked for while it waited, and of no other', async () => {
      const { deliveries, lanes } = current();
      const lane = await subscribe(current());
      const [waiting, ended] = await deliverEvents(current(), 2);
      const claims = await claimFrom(lanes, lane, 2);
      await lanes.record(resultOf(claims[0]!, failed(60_000)));
      const next = { status: 'FAILED', lastError: 'HTTP 404', deactivate: false } as const;
      await lanes.record(resultOf(claims[1]!, { statusCode: 404, errorClass: 'http_4xx', next }));
      for (const id of [waiting!, ended!])
        await run((transaction) => deliveries.requeueManually(transaction, id));
      const again = await claimFrom(lanes, lane, 2);
      expect(again.map(({ id, autoAttempts }) => [id, autoAttempts]).sort()).toEqual(
        [
          [waiting, 1],
          [ended, SCHEDULE_OVER],
        ].sort(),
      );
    });

    // Red without the lock: both read FAILED and both go on.
    it('lets parallel transactions decide about one delivery one after another', async () => {
      const { deliveries, lanes } = current();
      const lane = await subscribe(current());
      const [id] = await deliverEvents(current(), 1);
      const [claim] = await claimFrom(lanes, lane, 1);
      await lanes.abandon([claim!], 'given up');
      let looking = 0;
      const decide = async (): Promise<string> =>
        run(async (transaction) => {
          const found = await deliveries.findForUpdate(transaction, id!);
          looking += 1;
          // Room for the other to look as well, which it must not get.
          const bothLook = eventually(() => expect(looking).toBe(2), { timeoutMs: 400 });
          await bothLook.catch(() => undefined);
          if (found?.status !== 'FAILED') return 'too late';
          await deliveries.requeueManually(transaction, id!);
          return 'requeued';
        });
      const decided = await Promise.all([decide(), decide()]);
      expect(decided.filter((one) => one === 'requeued')).toHaveLength(1);
    });
  });
}
