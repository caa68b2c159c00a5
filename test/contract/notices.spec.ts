import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import type { Notice } from '../../src/modules/webhooks/domain/operational-event.js';
import { TypeormNotices } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-notices.js';
import { TypeormTransactions } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';

describeWithPostgres('what is noted of endpoints', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let notices: TypeormNotices;
  let tenants: TypeormTransactions;
  let tenantId = '';
  let made = 0;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 4)).initialize();
    notices = new TypeormNotices(new WorkerTransaction(dataSource));
    tenants = new TypeormTransactions(new TenantTransaction(dataSource));
  }, 120_000);

  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  /** In a tenant of its own, until the next. */
  const nextTenant = (): void => {
    tenantId = `t${(made += 1)}`;
  };
  const subscribe = async (...[event, ...more]: string[]): Promise<string> => {
    const id = randomUUID();
    await dataSource.query(
      `INSERT INTO webhook_subscriptions (tenant_id, id, event, more_events, url, secret) VALUES ($1, $2, $3, $4, $5, 's')`,
      [tenantId, id, event, more, `https://hooks.customer.com/${id}`],
    );
    return id;
  };
  const note = async (id: string, kind = 'failing', count = 1): Promise<number> => {
    const [row] = await dataSource.query<{ noted: number }[]>(
      `SELECT webhook_note($1, $2, $3, '{"reason":"why","delivery_id":"D"}', $4) AS noted`,
      [tenantId, id, kind, count],
    );
    return row!.noted;
  };
  const take = async (): Promise<readonly Notice[]> =>
    tenants.run(tenantId, (transaction) => notices.take(transaction, 50));
  const elapse = async (): Promise<void> => {
    await dataSource.query(`UPDATE webhook_notices SET due_at = due_at - interval '61 seconds'`);
  };

  it.each<[string, string[], string[], number]>([
    ['nobody listens', ['a.made'], ['*'], 0],
    ['it alone listens', ['a.made', 'webhook.*'], ['b.made'], 0],
    ['another listens to all of them', ['a.made'], ['webhook.*'], 1],
    ['another listens to those of endpoints', ['a.*'], ['b.made', 'webhook.endpoint.*'], 1],
    ['another listens to this one', ['*'], ['webhook.endpoint.failing'], 1],
    [
      'another listens to a different one',
      ['a.made'],
      ['webhook.endpoint.disabled', 'webhook.delivery.*'],
      0,
    ],
    ['it listens to such events alone', ['webhook.*', 'webhook.endpoint.failing'], ['webhook.*'], 0],
    ['it listens to such events as well', ['webhook.*', 'a.made'], ['webhook.*'], 1],
  ])('where %s', async (_what, patterns, others, noted) => {
    nextTenant();
    const id = await subscribe(...patterns);
    await subscribe(...others);
    expect(await note(id)).toBe(noted);
    expect(await notices.dueTenants(100)).toEqual(
      noted === 0 ? expect.not.arrayContaining([tenantId]) : expect.arrayContaining([tenantId]),
    );
    expect(await take()).toMatchObject(
      noted === 0 ? [] : [{ kind: 'failing', count: 1, endpoint: { id, events: patterns } }],
    );
    // Once.
    expect(await take()).toEqual([]);
  });

  // Red when each exhausted delivery is told of: an endpoint that fails for an hour would fill its monitor's queue.
  it('tells of an endpoint’s exhausted deliveries at once, then once a minute with how many there were', async () => {
    nextTenant();
    const id = await subscribe('a.made');
    await subscribe('webhook.*');
    await note(id, 'exhausted', 3);
    await note(id, 'exhausted', 2);
    expect(await take()).toMatchObject([{ kind: 'exhausted', count: 5 }]);
    for (let n = 0; n < 4; n += 1) await note(id, 'exhausted');
    await note(id);
    expect(await take()).toMatchObject([{ kind: 'failing' }]);
    await elapse();
    expect(await take()).toMatchObject([{ kind: 'exhausted', count: 4 }]);
    await elapse();
    expect(await take()).toEqual([]);
    expect(await dataSource.query('SELECT id FROM webhook_notices WHERE tenant_id = $1', [tenantId])).toEqual(
      [],
    );
    await note(id, 'exhausted');
    expect(await take()).toMatchObject([{ count: 1 }]);
  });

  interface Settled {
    readonly failed?: boolean;
    readonly final?: boolean;
    readonly gone?: boolean;
    readonly moved?: boolean;
    readonly turn?: string;
  }
  it.each<[string, Settled, string[]]>([
    ['a failure that is tried again', { failed: true }, []],
    ['the last failure', { failed: true, final: true }, ['exhausted']],
    ['the last failure, of a lease that was lost', { failed: true, final: true, moved: false }, []],
    ['a failure that opens the circuit', { failed: true, turn: 'opened' }, ['failing']],
    ['an operational event that opens it', { turn: 'opened' }, []],
    ['a probe that failed', { failed: true, turn: 'reopened' }, []],
    ['a probe that arrived', { turn: 'closed' }, ['recovered']],
    ['an endpoint that is gone', { failed: true, final: true, gone: true }, ['disabled', 'exhausted']],
    ['one that was deactivated before', { failed: true, final: true, gone: true, moved: false }, []],
    ['one that failed for days', { failed: true, turn: 'given_up' }, ['disabled']],
  ])(
    'of a settlement: %s',
    async (_what, { failed = false, final = false, gone = false, moved = true, turn }, kinds) => {
      nextTenant();
      const id = await subscribe('a.made');
      await subscribe('webhook.*');
      const delivery = randomUUID();
      const of = <T>(value: T): T[] => (failed ? [value] : []);
      await dataSource.transaction(async (manager) => {
        if (kinds.includes('disabled')) {
          await manager.query(
            'UPDATE webhook_subscriptions SET active = false, deactivated_at = now(), deactivation_reason = $2 WHERE id = $1',
            [id, 'why'],
          );
        }
        await manager.query(
          'SELECT webhook_note_settled($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
          [
            ...[
              [tenantId],
              [id],
              [gone],
              of(tenantId),
              of(id),
              of(delivery),
              of('a.made'),
              of(final),
              of('HTTP 500'),
              of(4),
            ],
            ...[moved ? [delivery] : [], turn === undefined ? [] : [id], turn === undefined ? [] : [turn]],
          ],
        );
      });
      const taken = await take();
      expect(taken.map(({ kind }) => kind).sort()).toEqual(kinds);
    },
  );
});
