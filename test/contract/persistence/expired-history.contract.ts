import { describe, expect, it } from '@jest/globals';

import { deliveryDetail, resultOf } from './attempts.js';
import { append, deliverEvents, subscribe, TENANT, type PersistenceHarness, claimFrom } from './harness.js';

const DAY_MS = 86_400_000;

/** What ExpiredHistory promises to retention. */
export function expiredHistoryContract(current: () => PersistenceHarness): void {
  describe('ExpiredHistory', () => {
    const exists = async (id: string, tenantId = TENANT): Promise<boolean> =>
      current().transactions.run(
        tenantId,
        async (transaction) => (await current().deliveries.findDetail(transaction, id)) !== null,
      );

    /** Events whose deliveries are all done, with the ids of the deliveries. */
    const finished = async (count: number): Promise<string[]> => {
      const lane = await subscribe(current());
      const ids = await deliverEvents(current(), count);
      for (let left = count; left > 0;) {
        const claims = await claimFrom(current().lanes, lane, left);
        for (const claim of claims) await current().lanes.record(resultOf(claim));
        left -= claims.length;
      }
      return ids;
    };

    it('removes what is older, events without deliveries included, and leaves what is younger', async () => {
      const old = await finished(3);
      await append(current(), { event: 'nobody.listens', patterns: ['nobody.listens'] });
      await current().elapse(2 * DAY_MS);
      const young = await deliverEvents(current(), 2);
      await current().elapse(1_000);
      expect(await current().history.remove(3, 100)).toEqual({ events: 0, deliveries: 0 });
      expect(await current().history.remove(2, 100)).toEqual({ events: 4, deliveries: 3 });
      expect(await current().history.remove(2, 100)).toEqual({ events: 0, deliveries: 0 });
      for (const id of old) expect(await exists(id)).toBe(false);
      for (const id of young) expect(await exists(id)).toBe(true);
    });

    // Red without the condition on the status: what waits would go unsent.
    it('leaves an event while one of its deliveries is unfinished, also under a lease', async () => {
      const lane = await subscribe(current());
      const other = await subscribe(current(), { url: 'https://other.customer.com/' });
      const deliveryIds = await deliverEvents(current(), 1);
      const [claim] = await claimFrom(current().lanes, lane, 1);
      await current().lanes.record(resultOf(claim!));
      const [sending] = await claimFrom(current().lanes, other, 1);
      await current().elapse(DAY_MS + 1_000);
      expect(await current().history.remove(1, 100)).toEqual({ events: 0, deliveries: 0 });
      expect(await current().history.removePayloads(1, 100)).toBe(0);
      await current().lanes.release([sending!]);
      expect(await current().history.remove(1, 100)).toEqual({ events: 0, deliveries: 0 });
      const [again] = await claimFrom(current().lanes, other, 1);
      expect(again).toMatchObject({ payload: '{"n":0}', payloadExpired: false });
      await current().lanes.record(resultOf(again!));
      expect(await current().history.remove(1, 100)).toEqual({ events: 1, deliveries: 2 });
      for (const id of deliveryIds) expect(await exists(id)).toBe(false);
    });

    it('works in batches that bound both events and deliveries, over all tenants', async () => {
      for (const url of ['https://a.customer.com/', 'https://b.customer.com/', 'https://c.customer.com/']) {
        await subscribe(current(), { url, event: 'wide.event' });
        await subscribe(current(), { url, event: 'wide.event', tenantId: 'other' });
      }
      for (const tenantId of [TENANT, 'other']) {
        const stored = await append(current(), { tenantId, event: 'wide.event', patterns: ['wide.event'] });
        if (stored.kind !== 'stored') throw new Error('nobody was subscribed');
        for (const lane of stored.lanes) {
          for (const claim of await claimFrom(current().lanes, lane, 9))
            await current().lanes.record(resultOf(claim));
        }
      }
      await current().elapse(DAY_MS + 1_000);
      const batches = [];
      for (let n = 0; n < 4; n += 1) batches.push(await current().history.remove(1, 2));
      expect(batches.every((batch) => batch !== null && batch.events <= 2 && batch.deliveries <= 2)).toBe(
        true,
      );
      expect(batches.reduce((sum, batch) => sum + (batch?.events ?? 0), 0)).toBe(2);
      expect(batches.reduce((sum, batch) => sum + (batch?.deliveries ?? 0), 0)).toBe(6);
    });

    it('removes the payload alone: the rows stay and say so, and a retry has nothing to send', async () => {
      const [old] = await finished(1);
      await current().elapse(5 * DAY_MS);
      const [young] = await deliverEvents(current(), 1);
      expect(await current().history.removePayloads(4, 100)).toBe(1);
      expect(await current().history.removePayloads(4, 100)).toBe(0);
      expect(await deliveryDetail(current(), old!)).toMatchObject({ status: 'DELIVERED', payload: null });
      expect((await deliveryDetail(current(), old!)).attemptLog).toHaveLength(1);
      expect(await deliveryDetail(current(), young!)).toMatchObject({ payload: '{"n":0}' });
      const locked = await current().transactions.run(TENANT, async (transaction) => [
        await current().deliveries.findForUpdate(transaction, old!),
        await current().deliveries.findForUpdate(transaction, young!),
      ]);
      expect(locked).toMatchObject([{ payloadExpired: true }, { payloadExpired: false }]);
      // And the row goes like any other when its time has come.
      expect(await current().history.remove(4, 100)).toEqual({ events: 1, deliveries: 1 });
    });

    it('claims a delivery whose payload is gone as such: whoever asked for it was a moment too late', async () => {
      const [id] = await finished(1);
      await current().elapse(DAY_MS + 1_000);
      expect(await current().history.removePayloads(1, 100)).toBe(1);
      const { subscriptionId } = await deliveryDetail(current(), id!);
      await current().transactions.run(TENANT, (transaction) =>
        current().deliveries.requeueManually(transaction, id!),
      );
      const claims = await claimFrom(current().lanes, { tenantId: TENANT, subscriptionId }, 1);
      expect(claims).toMatchObject([{ id, payloadExpired: true, payload: '' }]);
    });

    it('forgets an idempotency key with its event', async () => {
      await subscribe(current(), { event: 'nobody.listens' });
      const idempotency = { key: 'k', fingerprint: 'f' };
      const first = await append(current(), { idempotency, patterns: [] });
      expect(first).toMatchObject({ kind: 'stored' });
      expect(await append(current(), { idempotency, patterns: [] })).toMatchObject({ kind: 'repeated' });
      await current().elapse(DAY_MS + 1_000);
      expect(await current().history.remove(1, 100)).toEqual({ events: 1, deliveries: 0 });
      expect(await append(current(), { idempotency, patterns: [] })).toMatchObject({ kind: 'stored' });
    });
  });
}
