import { describe, expect, it } from '@jest/globals';

import type { Subscription } from '../../../src/modules/webhooks/domain/subscription.js';
import { newEvent, subscribe, TENANT, type PersistenceHarness } from './harness.js';

/** What TenantTransactions promises to the use cases. */
export function transactionsContract(current: () => PersistenceHarness): void {
  describe('TenantTransactions', () => {
    const listOf = async (tenantId: string): Promise<Subscription[]> =>
      current().transactions.run(tenantId, (transaction) => current().subscriptions.list(transaction, {}));

    it('gives what the work gives, and keeps what it wrote', async () => {
      const { subscriptionId } = await subscribe(current());
      expect((await listOf(TENANT)).map(({ id }) => id)).toEqual([subscriptionId]);
    });

    it('keeps nothing of work that throws, and throws the same error', async () => {
      const harness = current();
      const failure = new Error('in the middle');
      const failing = harness.transactions.run(TENANT, async (transaction) => {
        const id = harness.ids.next();
        const url = 'https://hooks.customer.com/in';
        await harness.subscriptions.insert(transaction, {
          ...{ id, tenantId: TENANT, events: ['a.b'], url, sealedSecret: 's' },
        });
        await harness.outbox.append(transaction, newEvent(harness, { event: 'a.b', patterns: ['a.b'] }));
        throw failure;
      });
      await expect(failing).rejects.toBe(failure);
      expect(await listOf(TENANT)).toEqual([]);
      expect(await harness.lanes.backlog()).toEqual({ oldestDueAgeMs: 0, pending: 0 });
    });

    it('goes on after one that failed, also when they run at the same time', async () => {
      const harness = current();
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, async (_unused, n) =>
          harness.transactions.run(TENANT, async (transaction) => {
            const found = await harness.subscriptions.list(transaction, {});
            if (n % 2 === 1) throw new Error(`odd ${n}`);
            return found.length;
          }),
        ),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    });

    // Red when the tenant of a transaction is not set, or stays set for the next one.
    it('shows one tenant’s rows alone', async () => {
      const mine = await subscribe(current());
      const theirs = await subscribe(current(), { tenantId: 'other' });
      expect((await listOf(TENANT)).map(({ id }) => id)).toEqual([mine.subscriptionId]);
      expect((await listOf('other')).map(({ id }) => id)).toEqual([theirs.subscriptionId]);
      expect(await listOf('nobody')).toEqual([]);
    });

    it('refuses to write a row of another tenant', async () => {
      const harness = current();
      const writing = harness.transactions.run(TENANT, (transaction) =>
        harness.subscriptions.insert(transaction, {
          ...{
            id: harness.ids.next(),
            tenantId: 'other',
            events: ['a.b'],
            url: 'https://x.com/',
            sealedSecret: 's',
          },
        }),
      );
      await expect(writing).rejects.toThrow();
      expect(await listOf('other')).toEqual([]);
    });
  });
}
