import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { HELD_TOO_LONG } from '../../src/modules/webhooks/domain/delivery.js';
import type { Notice } from '../../src/modules/webhooks/domain/operational-event.js';
import { LeaseOwner } from '../../src/modules/webhooks/infrastructure/persistence/lease-owner.js';
import { reclaimExpired } from '../../src/modules/webhooks/infrastructure/persistence/sweep-deliveries.js';
import { TypeormHeldDeliveries } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-held-deliveries.js';
import { TypeormLaneCircuits } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-lane-circuits.js';
import { TypeormNotices } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-notices.js';
import { TypeormTransactions } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { SequentialIds } from '../../src/modules/webhooks/testing/sequential-ids.js';
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
  let worker: WorkerTransaction;
  let tenantId = '';
  let made = 0;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 4)).initialize();
    worker = new WorkerTransaction(dataSource);
    notices = new TypeormNotices(worker);
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

  /** A delivery of the endpoint, as it may be after a while. */
  const store = async (subscription: string, event: string, change: string): Promise<string> => {
    const [id, eventId] = [randomUUID(), randomUUID()];
    await dataSource.query(
      `INSERT INTO webhook_events (tenant_id, id, event, payload) VALUES ($1, $2, $3, '{}')`,
      [...[tenantId, eventId, event]],
    );
    await dataSource.query(
      `INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url) VALUES ($1, $2, $3, $4, $5, '')`,
      [tenantId, id, eventId, subscription, event],
    );
    await dataSource.query(`UPDATE webhook_deliveries SET ${change} WHERE id = $1`, [id]);
    return id;
  };

  // Red when only a settlement tells: what no process could send, or finish, would end without a word.
  it.each<[string, string, string | null, () => Promise<unknown>]>([
    [
      'a sweep ends, because its last attempt was interrupted',
      `status = 'SENDING', attempts = 7, auto_attempts = 4, interruptions = 9, leased_until = now() - interval '1 second'`,
      null,
      async () => worker.run((manager) => reclaimExpired(manager, 3, new LeaseOwner(new SequentialIds()))),
    ],
    [
      'was held for too long',
      `attempts = 7, next_attempt_at = now() - interval '31 days'`,
      `paused_at = now() - interval '31 days'`,
      async () => new TypeormHeldDeliveries(worker).end(30, HELD_TOO_LONG, 100),
    ],
  ])('tells of what %s, together and once, but for operational events', async (_what, change, lane, work) => {
    nextTenant();
    const id = await subscribe('*', 'webhook.*');
    await subscribe('webhook.*');
    if (lane !== null) {
      await dataSource.query(`UPDATE webhook_lanes SET ${lane} WHERE subscription_id = $1`, [id]);
    }
    await store(id, 'webhook.endpoint.failing', change);
    await work();
    expect(await take()).toEqual([]);
    const ended = [await store(id, 'a.made', change), await store(id, 'a.made', change)];
    await work();
    const [told, ...others] = await take();
    expect(told).toMatchObject({
      ...{ kind: 'exhausted', count: 2, endpoint: { id } },
      details: {
        event: 'a.made',
        attempts: 7,
        last_error: expect.stringMatching(/interrupted|Held too long/),
      },
    });
    expect(ended).toContain(told?.details['delivery_id']);
    expect(others).toEqual([]);
    await work();
    expect(await take()).toEqual([]);
  });

  // Red when only a probe tells it: an incident that `failing` opened would stay open.
  it.each(['open', 'half_open'])('tells that a circuit was closed by hand, which was %s', async (state) => {
    nextTenant();
    const id = await subscribe('a.made');
    await subscribe('webhook.*');
    const reset = async (): Promise<boolean> =>
      tenants.run(tenantId, (transaction) =>
        new TypeormLaneCircuits().reset(transaction, id, 'Reset by hand'),
      );
    expect(await reset()).toBe(false);
    expect(await take()).toEqual([]);
    await dataSource.query('UPDATE webhook_lanes SET circuit_state = $2 WHERE subscription_id = $1', [
      id,
      state,
    ]);
    expect(await reset()).toBe(true);
    expect(await take()).toMatchObject([
      { kind: 'recovered', details: { reason: 'Reset by hand' }, endpoint: { id } },
    ]);
    await reset();
    expect(await take()).toEqual([]);
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
