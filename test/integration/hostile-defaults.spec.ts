import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { prepareDatabase } from '../../src/platform/database/prepare-database.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import type { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { databaseOfOrdinaryLogin } from '../support/ordinary-login.js';
import { queryOnce, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { Receiver } from '../support/receiver.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';

/** Defaults that an administrator may have given a database, all against us. */
const HOSTILE = {
  datestyle: `'German, DMY'`,
  timezone: `'America/St_Johns'`,
  default_transaction_isolation: `'serializable'`,
  search_path: 'nowhere',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  quote_all_identifiers: 'on',
  statement_timeout: '3000',
  lock_timeout: '1',
};

/** Set once the tables are there: migrations write their own books outside of our transactions. */
const HOSTILE_TO_WRITES = { default_transaction_read_only: 'on', row_security: 'off' };

/** Red where a statement relies on a setting that nothing sets. */
describeWithPostgres('a database with hostile defaults, owned by an ordinary login', () => {
  let server: PostgresServer;
  let url: string;
  let app: RestApp;
  let receiver: Receiver;
  let api: ApiClient;

  const setDefaults = async (defaults: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, value] of Object.entries(defaults)) {
      await queryOnce(server.url, `ALTER DATABASE erp SET ${name} = ${value}`);
    }
  };

  beforeAll(async () => {
    server = await startPostgres();
    url = await databaseOfOrdinaryLogin(server);
    await setDefaults(HOSTILE);
    const strict = { migrate: true, strict: true, embedded: false };
    // Ordinary logins are no superusers, so nothing is left to warn of.
    expect((await prepareDatabase(url, strict)).warnings).toEqual([]);
    await setDefaults(HOSTILE_TO_WRITES);
    receiver = await Receiver.start();
    app = await startRestApp({ WEBHOOK_ROLE: 'all', WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback' }, url);
    api = await app.clientOf('acme');
  }, 180_000);

  afterAll(async () => {
    await app?.close();
    await receiver?.close();
    await server?.dispose();
  });

  it('is really that hostile to a plain connection', async () => {
    const [row] = await queryOnce<{ at: string; isolation: string }>(
      url,
      `SELECT timestamptz '2026-02-01 00:00Z'::text AS at, current_setting('transaction_isolation') AS isolation`,
    );
    expect(row).toEqual({ at: '31.01.2026 20:30:00 NST', isolation: 'serializable' });
  });

  it('stores, delivers, lists and shows, with times in UTC', async () => {
    const before = Date.now();
    const made = await api.post<{ id: string; created_at: string }>('/subscriptions', {
      event: 'hostile.made',
      url: `${receiver.url}/hook`,
    });
    expect(made.status).toBe(201);
    expect(Math.abs(Date.parse(made.body.created_at) - before)).toBeLessThan(60_000);
    const sent = await api.post<{ delivery_ids: string[] }>('/deliveries', {
      event: 'hostile.made',
      payload: { text: 'a \\ and a "NULL"' },
    });
    expect(sent.status).toBe(202);
    const path = `/deliveries/${sent.body.delivery_ids[0]}`;
    const shown = await eventually(
      async () => {
        const { body } = await api.get<{ status: string; created_at: string; attempt_log: object[] }>(path);
        expect(body.status).toBe('DELIVERED');
        return body;
      },
      { timeoutMs: 60_000 },
    );
    expect(shown.attempt_log).toHaveLength(1);
    expect(Math.abs(Date.parse(shown.created_at) - before)).toBeLessThan(60_000);
    const since = new Date(before - 60_000).toISOString();
    for (const list of ['/deliveries', '/events', '/audit', '/subscriptions']) {
      const { status, body } = await api.get<unknown[]>(
        `${list}${list === '/subscriptions' ? '' : `?since=${since}`}`,
      );
      expect([list, status, body.length > 0]).toEqual([list, 200, true]);
    }
    expect((await api.post(`${path}/retry`, { force: true })).status).toBe(202);
  });

  // Red with the database's default isolation: most of them end as 500 with a serialisation failure.
  it('takes twenty parallel requests with one Idempotency-Key as one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        api.post<{ event_id: string }>(
          '/deliveries',
          { event: 'hostile.made', payload: { n: 1 } },
          { headers: { 'idempotency-key': 'parallel' } },
        ),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.event_id)).size).toBe(1);
  });

  it('tries again what the database took back for another transaction, and not for ever', async () => {
    const dataSource = await new DataSource(dataSourceOptions(url, 2)).initialize();
    const tenants = new TenantTransaction(dataSource);
    let tries = 0;
    const failing = (times: number): Promise<string> =>
      tenants.run('acme', async (manager) => {
        tries += 1;
        if (tries <= times)
          await manager.query(`DO $$ BEGIN RAISE EXCEPTION 'taken back' USING ERRCODE = '40001'; END $$`);
        return 'done';
      });
    try {
      expect(await failing(2)).toBe('done');
      tries = 0;
      await expect(failing(100)).rejects.toThrow('taken back');
      expect(tries).toBe(4);
      const level = await dataSource.transaction('SERIALIZABLE', (manager) =>
        manager.query<{ level: string }[]>(`SELECT current_setting('transaction_isolation') AS level`),
      );
      expect(level).toEqual([{ level: 'serializable' }]);
      // Nothing stays on the connection: a pooler hands it to somebody else.
      const [left] = await dataSource.query<{ path: string; style: string }[]>(
        `SELECT current_setting('search_path') AS path, current_setting('datestyle') AS style`,
      );
      expect(left).toEqual({ path: 'nowhere', style: 'German, DMY' });
    } finally {
      await dataSource.destroy();
    }
  });
});
