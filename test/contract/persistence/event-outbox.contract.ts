import { describe, expect, it } from '@jest/globals';

import type { AppendResult } from '../../../src/modules/webhooks/application/ports/event-outbox.js';
import { FILTER_CASES } from '../../../src/modules/webhooks/domain/payload-filter/filter-cases.js';
import { append, newEvent, subscribe, TENANT, type PersistenceHarness } from './harness.js';

type Stored = Extract<AppendResult, { kind: 'stored' }>;

function stored(result: AppendResult): Stored {
  if (result.kind !== 'stored') throw new Error(`not stored but ${result.kind}`);
  return result;
}

/** What EventOutbox promises to emit and to requests for a delivery. */
export function eventOutboxContract(current: () => PersistenceHarness): void {
  describe('EventOutbox', () => {
    it('makes one delivery for each active subscription that a pattern matches', async () => {
      const harness = current();
      const exact = await subscribe(harness);
      const prefix = await subscribe(harness, { event: 'thing.*' });
      const all = await subscribe(harness, { event: '*' });
      await subscribe(harness, { event: 'thing.undone' });
      await subscribe(harness, { tenantId: 'other' });
      const off = await subscribe(harness, { url: 'https://off.customer.com/' });
      await harness.transactions.run(TENANT, (transaction) =>
        harness.subscriptions.deactivate(transaction, off.subscriptionId, 'why'),
      );
      const { deliveryIds, lanes } = stored(await append(harness));
      expect(deliveryIds).toHaveLength(3);
      expect(new Set(deliveryIds).size).toBe(3);
      const byId = (a: { subscriptionId: string }, b: { subscriptionId: string }): number =>
        a.subscriptionId < b.subscriptionId ? -1 : 1;
      expect([...lanes].sort(byId)).toEqual([exact, prefix, all].sort(byId));
    });

    // Red when each pattern that matches makes a delivery.
    it('makes one delivery for a subscription of which several events match', async () => {
      const harness = current();
      const lane = await subscribe(harness, { events: ['other', 'thing.*', 'thing.done', '*'] });
      await subscribe(harness, { events: ['other', 'thing.undone'], url: 'https://other.customer.com/' });
      expect(stored(await append(harness))).toMatchObject({ deliveryIds: { length: 1 }, lanes: [lane] });
      expect(await append(harness, { onlyIfMatched: true })).toMatchObject({ lanes: [lane] });
    });

    it('asks filters about the payload, whatever it is', async () => {
      const harness = current();
      for (const [n, [, filter]] of FILTER_CASES.entries()) {
        await subscribe(harness, { event: `case.n${n}`, url: `https://hooks.customer.com/${n}`, filter });
      }
      const sent: boolean[] = [];
      for (const [n, [payload]] of FILTER_CASES.entries()) {
        const event = `case.n${n}`;
        sent.push(stored(await append(harness, { event, patterns: [event], payload })).lanes.length === 1);
      }
      expect(FILTER_CASES.filter(([, , matches], n) => sent[n] !== matches)).toEqual([]);
    }, 60_000);

    it('stores an event that every filter kept back, with no delivery; somebody listens, so it matched', async () => {
      const harness = current();
      await subscribe(harness, { filter: '{"b":2}', events: ['other', 'thing.*', 'thing.done'] });
      const wanted = await subscribe(harness, {
        filter: '{"b":1}',
        events: ['thing.*', 'thing.done'],
        url: 'https://b.customer.com/',
      });
      const idempotency = { key: 'k', fingerprint: 'f' };
      const id = harness.ids.next();
      const kept = { id, onlyIfMatched: true, payload: '{"b":3}', idempotency };
      const nothing = { deliveryIds: [], lanes: [] };
      expect(await append(harness, kept)).toEqual({ kind: 'stored', ...nothing });
      expect(await append(harness, { ...kept, id: harness.ids.next() })).toEqual({
        ...{ kind: 'repeated', eventId: id, fingerprint: 'f', deliveryIds: [] },
      });
      expect(stored(await append(harness)).lanes).toEqual([wanted]);
      expect(await harness.lanes.backlog()).toMatchObject({ pending: 1 });
    });

    // Red when a judgement of before counts for what a filter is now.
    it('asks each filter as it is when the event is stored', async () => {
      const harness = current();
      const lane = await subscribe(harness, { filter: '{"b":1}' });
      const change = async (filter: string | null): Promise<void> => {
        await harness.transactions.run(TENANT, (transaction) =>
          harness.subscriptions.update(transaction, lane.subscriptionId, { filter }),
        );
      };
      const lanes = async (): Promise<readonly unknown[]> => stored(await append(harness)).lanes;
      expect([await lanes(), await lanes()]).toEqual([[lane], [lane]]);
      await change('{"b":2}');
      expect([await lanes(), await lanes()]).toEqual([[], []]);
      await change(null);
      expect(await lanes()).toEqual([lane]);
      await change('{"b":{"$gte":1}}');
      const late = await subscribe(harness, { event: '*', filter: '{"b":1}' });
      expect(await lanes()).toHaveLength(2);
      await harness.transactions.run(TENANT, (transaction) =>
        harness.subscriptions.deactivate(transaction, late.subscriptionId, 'why'),
      );
      expect(await lanes()).toEqual([lane]);
    });

    it('sends what a filter cannot be asked about', async () => {
      const harness = current();
      const lane = await subscribe(harness, { filter: '{"b":{"$of_a_version_to_come":1}}' });
      expect(stored(await append(harness)).lanes).toEqual([lane]);
      const long = await subscribe(harness, { event: 'thing.long', filter: '{"b":7}' });
      const payload = `{"b":[${'1,'.repeat(110_000)}1]}`;
      const event = { event: 'thing.long', patterns: ['thing.long'], payload };
      expect(stored(await append(harness, event)).lanes).toEqual([long]);
    });

    it('stores many events at a time that filters are asked about', async () => {
      const harness = current();
      const lane = await subscribe(harness, { filter: '{"n":{"$lt":4}}' });
      const all = await subscribe(harness, { event: '*' });
      const results = await Promise.all(
        Array.from({ length: 8 }, (_unused, n) => append(harness, { payload: `{"n":${n}}` })),
      );
      const lanes = results.map((result) =>
        stored(result)
          .lanes.map(({ subscriptionId }) => subscriptionId)
          .sort(),
      );
      const both = [lane.subscriptionId, all.subscriptionId].sort();
      expect(lanes).toEqual(results.map((_result, n) => (n < 4 ? both : [all.subscriptionId])));
    });

    it('keeps the payload as it was written, key order and spaces included', async () => {
      const harness = current();
      await subscribe(harness);
      const payload = '{ "z":1, "a":{"c":2,"b":"ñ\\u0041€"},"n":1.10}';
      const { deliveryIds } = stored(await append(harness, { payload }));
      const detail = await harness.transactions.run(TENANT, (transaction) =>
        harness.deliveries.findDetail(transaction, deliveryIds[0]!),
      );
      expect(detail?.payload).toBe(payload);
    });

    it('stores an event that nobody wants with no delivery, unless it is told not to', async () => {
      const harness = current();
      expect(await append(harness)).toEqual({ kind: 'stored', deliveryIds: [], lanes: [] });
      expect(await append(harness, { onlyIfMatched: true })).toEqual({ kind: 'unmatched' });
    });

    it('gives the first event again for a key that is taken, and stores nothing', async () => {
      const harness = current();
      await subscribe(harness);
      const id = harness.ids.next();
      const idempotency = { key: 'k', fingerprint: 'f1' };
      const { deliveryIds } = stored(await append(harness, { id, idempotency }));
      await subscribe(harness, { url: 'https://later.customer.com/' });
      const again = await append(harness, { idempotency: { key: 'k', fingerprint: 'f2' } });
      expect(again).toEqual({ kind: 'repeated', eventId: id, fingerprint: 'f1', deliveryIds });
      expect(await harness.lanes.backlog()).toMatchObject({ pending: 1 });
    });

    it('takes the same key of another tenant for another key', async () => {
      const harness = current();
      await subscribe(harness);
      await subscribe(harness, { tenantId: 'other' });
      const idempotency = { key: 'k', fingerprint: 'f' };
      stored(await append(harness, { idempotency }));
      stored(await append(harness, { idempotency, tenantId: 'other' }));
    });

    it('keeps no key of an event that was not stored', async () => {
      const harness = current();
      const idempotency = { key: 'k', fingerprint: 'f' };
      expect((await append(harness, { idempotency, onlyIfMatched: true })).kind).toBe('unmatched');
      await subscribe(harness);
      expect((await append(harness, { idempotency, onlyIfMatched: true })).kind).toBe('stored');
    });

    // Red when a look before the insert decides: two of them find nothing.
    it('stores one of many parallel events with one key', async () => {
      const harness = current();
      await subscribe(harness);
      const idempotency = { key: 'k', fingerprint: 'f' };
      const results = await Promise.all(Array.from({ length: 8 }, () => append(harness, { idempotency })));
      expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'repeated')).toHaveLength(7);
      expect(await harness.lanes.backlog()).toMatchObject({ pending: 1 });
    });

    it('announces after the commit and not before', async () => {
      const harness = current();
      const lane = await subscribe(harness);
      await harness.transactions.run(TENANT, async (transaction) => {
        const { lanes } = stored(await harness.outbox.append(transaction, newEvent(harness)));
        harness.outbox.announceAfterCommit(transaction, 'thing.done', lanes);
        expect(harness.dispatcher.rung).toEqual([]);
        expect(harness.metrics.events).toEqual([]);
      });
      expect(harness.dispatcher.rung).toEqual([lane]);
      expect(harness.metrics.events).toEqual(['thing.done']);
    });

    it('announces nothing that was rolled back, nor later with the next commit', async () => {
      const harness = current();
      const lane = await subscribe(harness);
      const failing = harness.transactions.run(TENANT, async (transaction) => {
        await harness.outbox.append(transaction, newEvent(harness));
        harness.outbox.announceAfterCommit(transaction, 'thing.done', [lane]);
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      await append(harness);
      expect(harness.dispatcher.rung).toEqual([]);
      expect(harness.metrics.events).toEqual([]);
      expect(await harness.lanes.backlog()).toMatchObject({ pending: 1 });
    });
  });
}
