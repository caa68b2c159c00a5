import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import type { ClaimedDelivery } from '../../src/modules/webhooks/domain/delivery.js';
import type { CountedAttempts } from '../../src/modules/webhooks/domain/statistics.js';
import { statisticsRange, type BucketName } from '../../src/modules/webhooks/domain/statistics-range.js';
import { HotStatements } from '../../src/modules/webhooks/infrastructure/persistence/hot-statements.js';
import { LeaseOwner } from '../../src/modules/webhooks/infrastructure/persistence/lease-owner.js';
import { recordAttempts } from '../../src/modules/webhooks/infrastructure/persistence/record-attempts.js';
import { reclaimExpired } from '../../src/modules/webhooks/infrastructure/persistence/sweep-deliveries.js';
import { TypeormAttemptStatistics } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-attempt-statistics.js';
import { TypeormTransactions } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { SequentialIds } from '../../src/modules/webhooks/testing/sequential-ids.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';
import { failed, resultOf } from './persistence/attempts.js';

interface Attempt {
  readonly tenant: string;
  readonly subscription: string;
  readonly number: number;
  readonly status: string;
  readonly errorClass: string | null;
  readonly ms: number;
  /** Whether it still had its lease. */
  readonly moved: boolean;
}

/** As the comment of `webhook_duration_step` has it. */
function step(ms: number): number {
  let width = 1;
  while (ms >= width * 128 && width < 2_048) width *= 2;
  return ms - (ms % width);
}

describeWithPostgres('statistics of attempts', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let statistics: TypeormAttemptStatistics;
  let tenants: TypeormTransactions;
  let worker: WorkerTransaction;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 6)).initialize();
    worker = new WorkerTransaction(dataSource);
    statistics = new TypeormAttemptStatistics(worker);
    tenants = new TypeormTransactions(new TenantTransaction(dataSource));
  }, 120_000);

  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  /** As a settlement does it. */
  const settle = async (attempts: readonly Attempt[], minutesAgo = 0): Promise<void> => {
    const ids = attempts.map(() => randomUUID());
    await dataSource.transaction(async (manager) => {
      await manager.query('SELECT webhook_measure($1, $2, $3, $4, $5, $6, $7, $8)', [
        attempts.map(({ tenant }) => tenant),
        attempts.map(({ subscription }) => subscription),
        ids,
        attempts.map(({ number }) => number),
        attempts.map(({ status }) => status),
        attempts.map(({ errorClass }) => errorClass),
        attempts.map(({ ms }) => ms),
        ids.filter((_id, n) => attempts[n]!.moved),
      ]);
      await manager.query(
        `UPDATE webhook_stats_new SET at = now() - $1::int * interval '1 minute' WHERE at = now() AND $1::int > 0`,
        [minutesAgo],
      );
    });
  };
  /** A delivery whose lease has ended with its attempt under way. */
  const interrupted = async (tenantId: string): Promise<ClaimedDelivery> => {
    const [id, eventId, subscriptionId, leaseToken] = Array.from({ length: 4 }, () => randomUUID());
    const url = `https://hooks.customer.com/${id}`;
    for (const [sql, ...values] of [
      [
        `INSERT INTO webhook_subscriptions (tenant_id, id, event, url, secret) VALUES ($1, $2, 'a.made', $3, 's')`,
        subscriptionId,
        url,
      ],
      [`INSERT INTO webhook_events (tenant_id, id, event, payload) VALUES ($1, $2, 'a.made', '{}')`, eventId],
      [
        `INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url, status, attempts, auto_attempts,
                                         lease_token, leased_until)
         VALUES ($1, $2, $3, $4, 'a.made', $5, 'SENDING', 1, 1, $6, now() - interval '1 second')`,
        ...[id, eventId, subscriptionId, url, leaseToken],
      ],
    ]) {
      await dataSource.query(sql!, [tenantId, ...values]);
    }
    const claim = { id, eventId, subscriptionId, leaseToken, tenantId, event: 'a.made', attemptNumber: 1 };
    return { ...claim, trigger: 'auto', epoch: 0, isProbe: false } as unknown as ClaimedDelivery;
  };
  const counted = async (
    tenant: string,
    bucket: BucketName,
    subscription: string | null = null,
  ): Promise<readonly CountedAttempts[]> => {
    const found = statisticsRange(
      { bucket, from: new Date(Date.now() - 3 * 3_600_000) },
      Date.now() + 60_000,
    );
    if (!found.ok) throw new Error(found.message);
    return tenants.run(tenant, (transaction) => statistics.counted(transaction, found.range, subscription));
  };
  /** Without the time, in order: what the attempts themselves add up to. */
  const summed = (
    rows: readonly Pick<CountedAttempts, 'outcome' | 'errorClass' | 'durationMs' | 'count'>[],
  ): string[] => {
    const sums = new Map<string, number>();
    for (const { outcome, errorClass, durationMs, count } of rows) {
      const key = `${outcome} ${errorClass} ${durationMs}`;
      sums.set(key, (sums.get(key) ?? 0) + count);
    }
    return [...sums].map(([key, count]) => `${key}: ${count}`).sort();
  };
  const expected = (attempts: readonly Attempt[]): string[] =>
    summed(
      attempts
        .filter(({ moved }) => moved)
        .map(({ number, status, errorClass, ms }) => ({
          outcome:
            status === 'DELIVERED'
              ? number === 1
                ? 'first'
                : 'delivered'
              : status === 'FAILED'
                ? 'failed'
                : 'retried',
          ...{ errorClass: errorClass ?? '', durationMs: step(ms), count: 1 },
        })),
    );

  it('cuts durations as it says', async () => {
    const all = [...Array.from({ length: 300 }, (_, n) => n), 511, 512, 1_023, 1_024, 9_999, 30_000, 299_999];
    const rows = await dataSource.query<{ ms: number; step: number }[]>(
      'SELECT ms, webhook_duration_step(ms) AS step FROM unnest($1::int[]) AS ms',
      [all],
    );
    for (const { ms, step: cut } of rows) {
      expect({ ms, cut }).toEqual({ ms, cut: step(ms) });
      expect(ms - cut).toBeLessThanOrEqual(ms * 0.016);
    }
  });

  // Red when a question sees what is folded twice or not at all, or when a fold forgets what was there.
  it('are those of the attempts, before, while and after they are folded, of each tenant and subscription', async () => {
    const subscriptions = [randomUUID(), randomUUID(), randomUUID()];
    const attempts: Attempt[] = Array.from({ length: 400 }, (_, n) => ({
      tenant: n % 5 === 0 ? 'other' : 'acme',
      subscription: subscriptions[n % 3]!,
      number: 1 + (n % 4),
      ...[
        { status: 'DELIVERED', errorClass: null },
        { status: 'PENDING', errorClass: 'http_5xx' },
        { status: 'FAILED', errorClass: 'timeout' },
      ][n % 7 < 4 ? 0 : (n % 2) + 1]!,
      ms: (n * 37) % 700,
      moved: n % 11 !== 0,
    }));
    const of = (tenant: string, subscription?: string): Attempt[] =>
      attempts.filter(
        (a) => a.tenant === tenant && (subscription === undefined || a.subscription === subscription),
      );
    const check = async (): Promise<void> => {
      for (const bucket of ['1m', '15m', '1h', '6h'] as const) {
        expect(summed(await counted('acme', bucket))).toEqual(expected(of('acme')));
      }
      expect(summed(await counted('other', '1m'))).toEqual(expected(of('other')));
      for (const one of subscriptions) {
        expect(summed(await counted('acme', '1m', one))).toEqual(expected(of('acme', one)));
      }
      expect(await counted('nobody', '1m')).toEqual([]);
    };
    for (let n = 0; n < 200; n += 40) await settle(attempts.slice(n, n + 40), n / 40);
    for (let n = 200; n < 280; n += 1) await settle(attempts.slice(n, n + 1));
    await settle(attempts.slice(280));
    await check();
    // Two at a time, while it is asked.
    await Promise.all([check(), statistics.fold(), statistics.fold()]);
    await statistics.fold();
    expect(await dataSource.query('SELECT id FROM webhook_stats_new')).toEqual([]);
    await check();
    // More of the same minutes.
    const more = attempts.slice(0, 30);
    attempts.push(...more);
    await settle(more);
    await check();
    await statistics.fold();
    await check();
  }, 60_000);

  // Red when the log says what an attempt came to, and the statistics that it was interrupted.
  it.each<[string, readonly ('before' | 'after')[]]>([
    ['in no rollup', []],
    ['in a rollup when it comes', ['before']],
    ['in a rollup in the end', ['after']],
    ['in rollups of their own', ['before', 'after']],
  ])('count a late result in place of the interruption, %s', async (_where, folds) => {
    const tenant = `late_${folds.join('_')}`;
    const claims = await Promise.all([1, 2, 3].map(() => interrupted(tenant)));
    // They began at one moment, so they took as long.
    await dataSource.query('UPDATE webhook_deliveries SET updated_at = now() WHERE tenant_id = $1', [tenant]);
    await worker.run((manager) => reclaimExpired(manager, 3, new LeaseOwner(new SequentialIds())));
    expect(summed(await counted(tenant, '1m'))).toEqual([expect.stringMatching(/^retried other \d+: 3$/)]);
    if (folds.includes('before')) await statistics.fold();
    const statements = new HotStatements(dataSource);
    const [good, bad] = [resultOf(claims[0]!), resultOf(claims[1]!, failed(1_000))];
    for (const _twice of [1, 2]) await recordAttempts(statements, [good, bad]);
    if (folds.includes('after')) await statistics.fold();
    for (const bucket of ['1m', '1h'] as const) {
      expect(summed(await counted(tenant, bucket))).toEqual([
        'first  12: 1',
        'retried http_5xx 12: 1',
        expect.stringMatching(/^retried other \d+: 1$/),
      ]);
    }
    expect(summed(await counted(tenant, '1m', good.subscriptionId))).toEqual(['first  12: 1']);
  });

  it('keeps minutes for two days and hours for much longer', async () => {
    await dataSource.query(
      `INSERT INTO webhook_stats (tenant_id, width, start, subscription_id, outcome, durations, counts)
       SELECT 'old', width, now() - ago, $1, 'first', '{1}', '{1}'
         FROM unnest(ARRAY[1, 60]::smallint[]) AS width,
              unnest(ARRAY['47 hours', '50 hours', '399 days', '401 days']::interval[]) AS ago`,
      [randomUUID()],
    );
    expect(await statistics.forget()).toBe(false);
    const rows = await dataSource.query<{ width: number; days: number }[]>(
      `SELECT width, extract(day FROM now() - start)::int AS days FROM webhook_stats WHERE tenant_id = 'old' ORDER BY 1, 2`,
    );
    expect(rows.map(({ width, days }) => `${width} ${days}`)).toEqual(['1 1', '60 1', '60 2', '60 399']);
  });
});
