import { randomBytes } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';

import type { Transaction } from '../../../src/modules/webhooks/application/ports/transaction.js';
import { CLOSED_ENDPOINT } from '../../../src/modules/webhooks/domain/subscription.js';
import type { RetrySchedule } from '../../../src/modules/webhooks/domain/retry-schedule.js';
import {
  DEFAULT_SETTINGS,
  fromStoredSettings,
  type StoredSettings,
} from '../../../src/modules/webhooks/domain/subscription-settings.js';
import { deliveryDetail, failed, resultOf } from './attempts.js';
import { claimFrom, deliverEvents, subscribe, TENANT, type PersistenceHarness } from './harness.js';

/** What SubscriptionRepository promises to the use cases. */
export function subscriptionRepositoryContract(current: () => PersistenceHarness): void {
  describe('SubscriptionRepository', () => {
    const run = async <T>(work: (transaction: Transaction) => Promise<T>, tenantId = TENANT): Promise<T> =>
      current().transactions.run(tenantId, work);
    const UNKNOWN = '01900000-0000-7000-8000-ffffffffffff';

    it('gives back what it stored, active, and never the secret', async () => {
      const { subscriptionId: id } = await subscribe(current(), { event: 'a.*', url: 'https://h.com/in' });
      const found = await run((transaction) => current().subscriptions.find(transaction, id));
      expect(found).toEqual({
        ...{
          id,
          tenantId: TENANT,
          event: 'a.*',
          events: ['a.*'],
          url: 'https://h.com/in',
          active: true,
          isPaused: false,
          circuit: CLOSED_ENDPOINT,
          description: null,
          filter: null,
        },
        ...{ deactivatedAt: null, deactivationReason: null },
        ...{ secretRotatedAt: null, previousSecretExpiresAt: null },
        settings: DEFAULT_SETTINGS,
        ...{ createdAt: expect.any(Date), updatedAt: expect.any(Date) },
      });
      expect(JSON.stringify(found)).not.toContain(`sealed ${id}`);
    });

    it('keeps settings, changes them from what is stored, and hands them to a claim', async () => {
      const { subscriptions, lanes } = current();
      const lane = await subscribe(current(), { settings: { ...DEFAULT_SETTINGS, retrySchedule: [5, 60] } });
      const change = async (retrySchedule: RetrySchedule): Promise<void> => {
        await run((transaction) =>
          subscriptions.update(transaction, lane.subscriptionId, {
            settings: (stored) => ({ ...stored, retrySchedule }),
          }),
        );
      };
      const read = async (): Promise<unknown> =>
        (await run((transaction) => subscriptions.find(transaction, lane.subscriptionId)))?.settings;
      expect(await read()).toMatchObject({ retrySchedule: [5, 60] });
      await deliverEvents(current(), 2);
      const claimed = async (): Promise<unknown> =>
        JSON.parse((await claimFrom(lanes, lane, 1))[0]?.settings ?? 'null');
      expect(await claimed()).toEqual({ retry_schedule: [5, 60] });
      await change('standard');
      expect(await read()).toMatchObject({ retrySchedule: 'standard' });
      await change('default');
      expect(await read()).toEqual(DEFAULT_SETTINGS);
      expect(await claimed()).toBeNull();
    });

    it('keeps a description and headers, in their order, and hands the headers to a claim', async () => {
      const { subscriptions, lanes } = current();
      const headers = [
        { name: 'X-Z', value: 'z' },
        { name: 'Authorization', value: null },
        { name: 'X-A', value: 'a' },
      ];
      const settings = { ...DEFAULT_SETTINGS, headers, sealedHeaders: 'sealed values' };
      const lane = await subscribe(current(), { settings, description: 'Ñandú\n🙂' });
      const change = (to: object): Promise<unknown> =>
        run((transaction) => subscriptions.update(transaction, lane.subscriptionId, to));
      expect(await change({})).toMatchObject({ description: 'Ñandú\n🙂', settings });
      await deliverEvents(current(), 1);
      const [claim] = await claimFrom(lanes, lane, 1);
      expect(fromStoredSettings(JSON.parse(claim?.settings ?? 'null') as StoredSettings)).toEqual(settings);
      expect(await change({ description: null })).toMatchObject({ description: null, settings });
    });

    it('keeps a filter as it is written, and takes it away', async () => {
      const filter = '{"10":12345678901234567890,"2":{"$eq":"\\u0000\\ud800"},"a":1.10}';
      const { subscriptionId: id } = await subscribe(current(), { filter });
      const change = (to: object): Promise<unknown> =>
        run((transaction) => current().subscriptions.update(transaction, id, to));
      expect(await run((transaction) => current().subscriptions.find(transaction, id))).toMatchObject({
        filter,
      });
      expect(await change({ description: 'x' })).toMatchObject({ filter });
      expect(await change({ filter: '{}' })).toMatchObject({ filter: '{}', description: 'x' });
      expect(await change({ filter: null })).toMatchObject({ filter: null });
    });

    it('finds, changes and deactivates nothing under an id that is unknown or another tenant’s', async () => {
      const { subscriptions } = current();
      const { subscriptionId: foreign } = await subscribe(current(), { tenantId: 'other' });
      for (const id of [foreign, UNKNOWN]) {
        await run(async (transaction) => {
          expect(await subscriptions.find(transaction, id)).toBeNull();
          expect(await subscriptions.update(transaction, id, { active: false })).toBeNull();
          expect(await subscriptions.deactivate(transaction, id, 'why')).toBe(false);
        });
      }
      const theirs = await run((transaction) => subscriptions.find(transaction, foreign), 'other');
      expect(theirs).toMatchObject({ active: true });
    });

    it.each([
      ['deactivate', 'why'],
      ['update', 'Deactivated by the tenant'],
    ] as const)(
      'ends what waits when it is deactivated by %s, without an attempt and for good',
      async (by, reason) => {
        const { subscriptions, lanes } = current();
        const lane = await subscribe(current());
        const other = await subscribe(current(), { url: 'https://h.com/other' });
        const ids = await deliverEvents(current(), 3);
        const mine = await claimFrom(lanes, lane, 2);
        // One waits for its retry in an hour, one is under way, one has never been tried.
        await lanes.record(resultOf(mine[0]!, failed(3_600_000)));
        const deactivate = async (transaction: Transaction): Promise<unknown> =>
          by === 'deactivate'
            ? subscriptions.deactivate(transaction, lane.subscriptionId, reason)
            : subscriptions.update(transaction, lane.subscriptionId, { active: false });
        await run(deactivate);
        const found = await run((transaction) => subscriptions.find(transaction, lane.subscriptionId));
        expect(found).toMatchObject({
          active: false,
          deactivationReason: reason,
          deactivatedAt: expect.any(Date),
        });
        const of = async (subscriptionId: string): Promise<unknown[]> =>
          (await Promise.all(ids.map(async (id) => deliveryDetail(current(), id))))
            .filter((one) => one.subscriptionId === subscriptionId)
            .map(({ status, attempts, lastError, nextAttemptAt }) => [
              ...[status, attempts, lastError, nextAttemptAt],
            ]);
        const ended = 'Subscription deactivated';
        const expected = [
          ['FAILED', 1, ended, null],
          ['SENDING', 1, null, null],
          ['FAILED', 0, ended, null],
        ];
        expect(await of(lane.subscriptionId)).toEqual(expected);
        expect((await of(other.subscriptionId)).map((one) => (one as unknown[])[0])).toEqual(
          Array.from({ length: 3 }, () => 'PENDING'),
        );
        await run((transaction) => subscriptions.update(transaction, lane.subscriptionId, { active: true }));
        await current().elapse(3_700_000);
        expect(await claimFrom(lanes, lane, 10)).toEqual([]);
        // A second time there is nothing to say: the first reason stays.
        await run(deactivate);
      },
    );

    it('lists newest first, by event and by state', async () => {
      const { subscriptions } = current();
      const first = await subscribe(current(), { event: 'a.b', url: 'https://h.com/1' });
      const second = await subscribe(current(), { event: 'a.b', url: 'https://h.com/2' });
      const third = await subscribe(current(), { event: 'c.d', url: 'https://h.com/3' });
      await run((transaction) => subscriptions.deactivate(transaction, second.subscriptionId, 'why'));
      const idsOf = async (filter: { event?: string; active?: boolean }): Promise<string[]> =>
        (await run((transaction) => subscriptions.list(transaction, filter))).map(({ id }) => id);
      const ids = [third, second, first].map(({ subscriptionId }) => subscriptionId);
      expect(await idsOf({})).toEqual(ids);
      expect(await idsOf({ event: 'a.b' })).toEqual(ids.slice(1));
      expect(await idsOf({ active: true })).toEqual([ids[0], ids[2]]);
      expect(await idsOf({ event: 'a.b', active: false })).toEqual([ids[1]]);
    });

    it('listens to several events: lists by each, and is the only one of each and its URL', async () => {
      const { subscriptions } = current();
      const { subscriptionId: id } = await subscribe(current(), { events: ['b.*', 'a.b', 'c'] });
      const idsOf = async (event: string): Promise<string[]> =>
        (await run((transaction) => subscriptions.list(transaction, { event }))).map((one) => one.id);
      expect(await run((transaction) => subscriptions.find(transaction, id))).toMatchObject({
        ...{ event: 'b.*', events: ['b.*', 'a.b', 'c'] },
      });
      for (const event of ['b.*', 'a.b', 'c']) {
        expect(await idsOf(event)).toEqual([id]);
        await expect(subscribe(current(), { events: ['other', event] })).rejects.toMatchObject({
          code: 'duplicate_subscription',
        });
      }
      expect(await idsOf('b.c')).toEqual([]);
      const second = await subscribe(current(), { events: ['other', 'more'] });
      const change = (to: object, of = id): Promise<unknown> =>
        run((transaction) => subscriptions.update(transaction, of, to));
      await expect(change({ events: ['c', 'more'] })).rejects.toMatchObject({
        code: 'duplicate_subscription',
      });
      expect(await change({ events: ['c'] })).toMatchObject({ event: 'c', events: ['c'] });
      expect(await idsOf('a.b')).toEqual([]);
      await change({ events: ['b.*', 'more'] }, second.subscriptionId);
      await change({ active: false });
      await change({ events: ['c'] }, second.subscriptionId);
      await expect(change({ active: true })).rejects.toMatchObject({ code: 'duplicate_subscription' });
    });

    it('refuses a second active one of the same event and URL; inactive ones and other tenants do not count', async () => {
      const first = await subscribe(current());
      await expect(subscribe(current())).rejects.toMatchObject({ code: 'duplicate_subscription' });
      await subscribe(current(), { tenantId: 'other' });
      await run((transaction) =>
        current().subscriptions.deactivate(transaction, first.subscriptionId, 'why'),
      );
      const second = await subscribe(current());
      expect(second.subscriptionId).not.toBe(first.subscriptionId);
    });

    // Red with an index over the text: it takes them for two, and cannot take a long one at all.
    it.each([
      ['HTTPS://Host.com:443/x', 'https://host.com/x', true],
      ['http://Host.com:80', 'http://host.com/', true],
      ['https://host.com?a', 'https://host.com/?a', true],
      ['https://host.com:8443/x', 'https://host.com/x', false],
      ['https://host.com/X', 'https://host.com/x', false],
      ['https://host.com:80/x', 'https://host.com/x', false],
    ])('takes %s and %s for one target: %s', async (url, other, same) => {
      await subscribe(current(), { url });
      const second = subscribe(current(), { url: other });
      if (same) await expect(second).rejects.toMatchObject({ code: 'duplicate_subscription' });
      else await second;
    });

    it('takes the longest URL there can be', async () => {
      // Random, because PostgreSQL compresses what repeats.
      const prefix = 'https://h.com/';
      const random = randomBytes(2_048)
        .toString('hex')
        .slice(0, 2_048 - prefix.length);
      await subscribe(current(), { url: prefix + random, event: 'e'.repeat(100) });
      await expect(
        subscribe(current(), { url: prefix + random, event: 'e'.repeat(100) }),
      ).rejects.toMatchObject({ code: 'duplicate_subscription' });
    });

    // Red when a check before the write decides instead of an index.
    it('lets one of many parallel equal ones win', async () => {
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => subscribe(current())));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({ code: 'duplicate_subscription' });
      }
    });

    // Red without the lock (PostgreSQL): all of them count before any of the others has committed.
    it('counts the active ones so that parallel requests cannot pass a limit together', async () => {
      const { subscriptions, ids } = current();
      const limit = 3;
      const results = await Promise.allSettled(
        Array.from({ length: 9 }, (_unused, n) =>
          run(async (transaction) => {
            const id = ids.next();
            const url = `https://h.com/${n}`;
            await subscriptions.insert(transaction, {
              id,
              tenantId: TENANT,
              events: ['a.b'],
              url,
              sealedSecret: 's',
            });
            if ((await subscriptions.countActive(transaction)) > limit) throw new Error('too many');
          }),
        ),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(limit);
      const left = await run((transaction) => subscriptions.list(transaction, { active: true }));
      expect(left).toHaveLength(limit);
    });

    it('changes what is given and leaves the rest', async () => {
      const { subscriptions } = current();
      const { subscriptionId: id } = await subscribe(current(), { event: 'a.b', url: 'https://h.com/1' });
      const before = await run((transaction) => subscriptions.find(transaction, id));
      const changed = await run((transaction) =>
        subscriptions.update(transaction, id, {
          url: 'https://h.com/2',
          sealedSecret: 'other',
          events: undefined,
        }),
      );
      const times = { updatedAt: expect.any(Date), secretRotatedAt: expect.any(Date) };
      expect(changed).toEqual({ ...before, url: 'https://h.com/2', ...times });
      expect(await run((transaction) => subscriptions.find(transaction, id))).toEqual(changed);
    });

    it('refuses a change that would make a duplicate, and changes nothing', async () => {
      const { subscriptions } = current();
      await subscribe(current(), { event: 'a.b', url: 'https://h.com/1' });
      const { subscriptionId: id } = await subscribe(current(), { event: 'a.b', url: 'https://h.com/2' });
      const changing = run((transaction) =>
        subscriptions.update(transaction, id, { url: 'https://h.com/1' }),
      );
      await expect(changing).rejects.toMatchObject({ code: 'duplicate_subscription' });
      const kept = await run((transaction) => subscriptions.find(transaction, id));
      expect(kept).toMatchObject({ url: 'https://h.com/2' });
    });

    it('deactivates once, with the reason, and forgets the reason when it is active again', async () => {
      const { subscriptions } = current();
      const { subscriptionId: id } = await subscribe(current());
      const deactivate = async (): Promise<boolean> =>
        run((transaction) => subscriptions.deactivate(transaction, id, 'told so'));
      expect(await deactivate()).toBe(true);
      expect(await deactivate()).toBe(false);
      const off = await run((transaction) => subscriptions.find(transaction, id));
      expect(off).toMatchObject({
        ...{ active: false, deactivationReason: 'told so', deactivatedAt: expect.any(Date) },
      });
      const on = await run((transaction) => subscriptions.update(transaction, id, { active: true }));
      expect(on).toMatchObject({ active: true, deactivationReason: null, deactivatedAt: null });
    });
  });
}
