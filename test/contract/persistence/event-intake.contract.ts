import { describe, expect, it } from '@jest/globals';

import { ENGINE_LIMITS } from '../../../src/modules/webhooks/application/engine-limits.js';
import type {
  IntakeResult,
  RequestedEvent,
} from '../../../src/modules/webhooks/application/ports/event-intake.js';
import type { ClaimedDelivery } from '../../../src/modules/webhooks/domain/delivery.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import { deliveryDetail, failed, resultOf } from './attempts.js';
import { claimFrom, deliverEvents, newEvent, subscribe, TENANT, type PersistenceHarness } from './harness.js';

type Stored = Extract<IntakeResult, { kind: 'stored' }>;

function stored(result: IntakeResult): Stored {
  if (result.kind !== 'stored') throw new Error(`not stored but ${result.kind}`);
  return result;
}

const bornOf = (result: IntakeResult): ClaimedDelivery[] =>
  stored(result).born.flatMap(({ claims }) => claims);

/** What EventIntake promises to requests for a delivery. */
export function eventIntakeContract(current: () => PersistenceHarness): void {
  const requested = (change: Partial<RequestedEvent> = {}): RequestedEvent => {
    const { id, tenantId, event, patterns, payload } = newEvent(current());
    const requestedBy = { subject: 'tester', requestId: 'r1' };
    const key = { fingerprint: 'f', idempotencyKey: null };
    return { id, tenantId, event, patterns, payload, requestedBy, ...key, ...change };
  };
  const accept = async (change: Partial<RequestedEvent> = {}): Promise<IntakeResult> =>
    current().intake.accept(requested(change));

  describe('EventIntake', () => {
    it('makes one delivery for each active subscription that a pattern matches, of its tenant alone', async () => {
      const exact = await subscribe(current());
      const all = await subscribe(current(), { event: '*' });
      await subscribe(current(), { event: 'thing.undone' });
      const foreign = await subscribe(current(), { tenantId: 'other' });
      const [mine, theirs] = await Promise.all([accept(), accept({ tenantId: 'other' })]);
      const ids = (lanes: readonly { subscriptionId: string }[]): string[] =>
        lanes.map(({ subscriptionId }) => subscriptionId).sort();
      const lanesOf = ({ waiting }: Stored): Lane[] => waiting.map(({ lane }) => lane);
      expect(ids(lanesOf(stored(mine)))).toEqual(ids([exact, all]));
      expect(stored(mine).deliveryIds).toHaveLength(2);
      expect(stored(mine).born).toEqual([]);
      expect(lanesOf(stored(theirs))).toEqual([foreign]);
      expect(stored(theirs).waiting.map(({ id }) => id)).toEqual(stored(theirs).deliveryIds);
    });

    // Red when each pattern that matches makes a delivery.
    it('makes one delivery for a subscription of which several events match, each with its own', async () => {
      const lane = await subscribe(current(), { events: ['other', 'thing.*', 'thing.done', '*'] });
      const other = await subscribe(current(), {
        ...{ events: ['other', 'thing.undone'], url: 'https://other.customer.com/' },
      });
      const patterns = ['other', '*'];
      const results = await Promise.all([accept(), accept({ event: 'other', patterns }), accept()]);
      const ids = results.map((result) =>
        stored(result)
          .waiting.map((one) => one.lane.subscriptionId)
          .sort(),
      );
      const both = [lane.subscriptionId, other.subscriptionId].sort();
      expect(ids).toEqual([[lane.subscriptionId], both, [lane.subscriptionId]]);
    });

    // Red when what some filter is to be asked about first is not stored in the end, or what needs none waits for it.
    it('asks filters, of many events at once as well, and claims what passes', async () => {
      const some = await subscribe(current(), { filter: '{"n":{"$in":[1,2,7]}}' });
      const all = await subscribe(current(), {
        events: ['thing.*', 'other'],
        url: 'https://all.customer.com/',
      });
      await subscribe(current(), { tenantId: 'other', filter: '{"n":9}' });
      current().places.ofUnknown = 9;
      for (let round = 0; round < 2; round += 1) {
        const results = await Promise.all(
          Array.from({ length: 12 }, (_unused, n) =>
            accept({
              payload: `{"n":${n}}`,
              idempotencyKey: `${round} ${n}`,
              ...(n % 5 === 4
                ? { tenantId: 'other' }
                : n % 5 === 3
                  ? { event: 'other', patterns: ['other'] }
                  : {}),
            }),
          ),
        );
        const lanes = results.map((result) =>
          [...stored(result).born, ...stored(result).waiting].map(({ lane }) => lane.subscriptionId).sort(),
        );
        const both = [some.subscriptionId, all.subscriptionId].sort();
        expect(lanes).toEqual(
          [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((n) => {
            if (n === 4) return [];
            if (n === 9) return [expect.any(String)];
            return [1, 2, 7].includes(n) ? both : [all.subscriptionId];
          }),
        );
        for (const n of [1, 3, 7]) {
          for (const id of stored(results[n]!).deliveryIds) {
            expect((await deliveryDetail(current(), id)).payload).toBe(`{"n":${n}}`);
          }
        }
      }
    });

    it('stores what every filter kept back, and its key', async () => {
      await subscribe(current(), { filter: '{"n":1}' });
      const id = current().ids.next();
      const kept = { id, payload: '{"n":2}', idempotencyKey: 'k', fingerprint: 'f1' };
      const nothing = { deliveryIds: [], born: [], waiting: [] };
      expect(await accept(kept)).toEqual({ kind: 'stored', ...nothing });
      const again = { ...kept, id: current().ids.next(), fingerprint: 'f2' };
      const first = { kind: 'repeated', eventId: id, fingerprint: 'f1', deliveryIds: [] };
      expect(await accept(again)).toEqual(first);
    });

    it('keeps the payload as it was written, key order and spaces included', async () => {
      await subscribe(current());
      const payload = '{ "z":1, "a":{"c":2,"b":"ñ\\u0041€ \\" \\\\ NULL {}"},"n":1.10}';
      const [id] = stored(await accept({ payload })).deliveryIds;
      expect((await deliveryDetail(current(), id!)).payload).toBe(payload);
    });

    it('stores nothing of an event that nobody wants, and keeps no key of it', async () => {
      expect(await accept({ idempotencyKey: 'k' })).toEqual({ kind: 'unmatched' });
      await subscribe(current());
      expect((await accept({ idempotencyKey: 'k' })).kind).toBe('stored');
    });

    it('gives the first event again for a key that is taken, also when nobody is subscribed any more', async () => {
      const lane = await subscribe(current());
      const id = current().ids.next();
      const { deliveryIds } = stored(await accept({ id, idempotencyKey: 'k', fingerprint: 'f1' }));
      const first = { kind: 'repeated', eventId: id, fingerprint: 'f1', deliveryIds };
      expect(await accept({ idempotencyKey: 'k', fingerprint: 'f2' })).toEqual(first);
      await current().transactions.run(TENANT, (transaction) =>
        current().subscriptions.deactivate(transaction, lane.subscriptionId, 'why'),
      );
      expect(await accept({ idempotencyKey: 'k', fingerprint: 'f2' })).toEqual(first);
      await subscribe(current(), { tenantId: 'other' });
      expect((await accept({ idempotencyKey: 'k', tenantId: 'other' })).kind).toBe('stored');
    });

    // Red when a look before the insert decides: two of them find nothing.
    it('stores one of many parallel events with one key', async () => {
      await subscribe(current());
      const results = await Promise.all(Array.from({ length: 8 }, () => accept({ idempotencyKey: 'k' })));
      expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'repeated')).toHaveLength(7);
    });

    it('claims what the process has places for, with all that an attempt needs', async () => {
      const lane = await subscribe(current());
      current().places.ofUnknown = 1;
      const result = stored(await accept({ payload: '{"n":1}' }));
      expect(result).toMatchObject({ deliveryIds: [expect.any(String)], waiting: [] });
      const [id] = result.deliveryIds;
      expect(result.born).toEqual([
        {
          lane,
          claims: [
            {
              ...{ id, ...lane, event: 'thing.done', payload: '{"n":1}', attemptNumber: 1, autoAttempts: 1 },
              ...{
                payloadExpired: false,
                trigger: 'auto',
                isRetry: false,
                waitMs: 0,
                epoch: 0,
                isProbe: false,
                subscriptionActive: true,
              },
              ...{ eventId: expect.any(String), leaseToken: expect.any(String) },
              targetUrl: 'https://hooks.customer.com/in',
              ...{ sealedSecret: `sealed ${lane.subscriptionId}`, sealedPreviousSecret: null },
              settings: null,
            },
          ],
        },
      ]);
      expect(await deliveryDetail(current(), id!)).toMatchObject({ status: 'SENDING', attempts: 1 });
      expect(await claimFrom(current().lanes, lane, 9)).toEqual([]);
      expect(await current().lanes.record(resultOf(bornOf(result)[0]!))).toMatchObject({ held: true });
      expect(await deliveryDetail(current(), id!)).toMatchObject({
        status: 'DELIVERED',
        attemptLog: [{ number: 1 }],
      });
    });

    // Red when what is new overtakes what is due: under a steady stream, that would never be sent.
    it('claims nothing of a lane in which something is due, be it new or a retry', async () => {
      const lane = await subscribe(current());
      current().places.ofUnknown = 9;
      const [id] = await deliverEvents(current(), 1);
      expect(bornOf(await accept())).toEqual([]);
      for (const claim of await claimFrom(current().lanes, lane, 9)) {
        await current().lanes.record(resultOf(claim, claim.id === id ? failed(1_000) : {}));
      }
      // A retry that is not due yet is in nobody's way.
      for (const claim of bornOf(await accept())) await current().lanes.record(resultOf(claim));
      await current().elapse(2_000);
      expect(bornOf(await accept())).toEqual([]);
    });

    it('claims no more than there are places for, here and at the endpoint', async () => {
      const lane = await subscribe(current());
      const { places, otherLanes } = current();
      places.ofUnknown = 1;
      await accept();
      places.free.set(lane.subscriptionId, 0);
      expect(bornOf(await accept())).toEqual([]);
      // Whatever else the endpoint may get is another process's now.
      const mine = 1 + (await claimFrom(current().lanes, lane, 9)).length;
      await deliverEvents(current(), ENGINE_LIMITS.perEndpoint - mine);
      const theirs = await claimFrom(otherLanes, lane, ENGINE_LIMITS.perEndpoint);
      expect(theirs).toHaveLength(ENGINE_LIMITS.perEndpoint - mine);
      places.underWay.set(lane.subscriptionId, mine);
      places.free.set(lane.subscriptionId, 9);
      expect(bornOf(await accept())).toEqual([]);
    });

    it('answers each of many at once with its own', async () => {
      await subscribe(current());
      current().places.ofUnknown = 9;
      const names = Array.from({ length: 20 }, (_unused, n) => (n % 3 === 0 ? 'no.body' : 'thing.done'));
      const results = await Promise.all(
        names.map((event, n) => accept({ event, patterns: [event], payload: `{"n":${n}}` })),
      );
      for (const [n, result] of results.entries()) {
        expect(result.kind).toBe(n % 3 === 0 ? 'unmatched' : 'stored');
        if (result.kind !== 'stored') continue;
        const detail = await deliveryDetail(current(), result.deliveryIds[0]!);
        expect(detail.payload).toBe(`{"n":${n}}`);
      }
    });
  });
}
