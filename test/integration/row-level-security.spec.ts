import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';

import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { EmbeddedDatabase } from '../../src/platform/database/embedded-database.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { PROTECTED_TABLES } from '../../src/platform/database/protected-tables.js';
import { TENANT_ROLE, WORKER_ROLE } from '../../src/platform/database/roles.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { prepareEmbeddedFiles } from '../support/embedded-files.js';
import { describeWithPostgres, testDatabaseUrl } from '../support/servers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { createTestDatabase } from '../support/test-database.js';

interface Database {
  readonly url: string;
  dispose(): Promise<void>;
}

/** What the catalogue says of a database's protection; compared with what it must be. */
async function protectionOf(client: pg.Client): Promise<Record<string, unknown>> {
  const one = async (sql: string): Promise<unknown[]> =>
    (await client.query<{ row: unknown }>(sql)).rows.map(({ row }) => row);
  return {
    tables: await one(
      `SELECT json_build_array(c.relname, c.relrowsecurity, c.relforcerowsecurity) AS row
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname`,
    ),
    policies: await one(
      `SELECT json_build_array(tablename, policyname, cmd, roles::text[], qual, with_check) AS row
         FROM pg_policies WHERE schemaname = 'public' ORDER BY tablename, policyname`,
    ),
    viewsThatSeeAll: await one(
      `SELECT relname AS row FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
          AND NOT coalesce(reloptions::text LIKE '%security_invoker=true%', false)`,
    ),
    functionsThatSeeAll: await one(
      `SELECT proname AS row FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef`,
    ),
    rolesThatSeeAll: await one(
      `SELECT rolname AS row FROM pg_roles WHERE rolname LIKE 'webhooks\\_%' AND (rolsuper OR rolbypassrls OR rolcanlogin)`,
    ),
  };
}

/** From the one list that the start of the service goes by as well: a migration with a new table has to add it there. */
const EXPECTED = {
  tables: PROTECTED_TABLES.map(({ name }) => [name, true, true]),
  policies: PROTECTED_TABLES.flatMap(({ name: table, policies }) =>
    policies.map(({ name, command, roles, using, check }) => [table, name, command, roles, using, check]),
  ),
  viewsThatSeeAll: [],
  functionsThatSeeAll: [],
  rolesThatSeeAll: [],
};

function rowLevelSecurity(name: string, start: () => Promise<Database>): void {
  describe(`row-level security on ${name}`, () => {
    let database: Database;
    let client: pg.Client;

    beforeAll(async () => {
      database = await start();
      await migrate(database.url);
      client = new pg.Client({ connectionString: database.url });
      await client.connect();
      for (const tenant of ['a', 'b']) {
        await client.query(
          `INSERT INTO webhook_subscriptions (tenant_id, id, event, url, secret)
           VALUES ($1, gen_random_uuid(), 'e.x', 'https://h.com/', 'sealed')`,
          [tenant],
        );
        await client.query(
          `INSERT INTO webhook_events (tenant_id, id, event, payload) VALUES ($1, gen_random_uuid(), 'e.x', '{}')`,
          [tenant],
        );
      }
    }, 180_000);

    afterAll(async () => {
      await client?.end();
      await database?.dispose();
    });

    /** Runs in a transaction that is rolled back, under a role and for a tenant. */
    const under = async <T>(role: string, tenant: string | null, work: () => Promise<T>): Promise<T> => {
      await client.query('BEGIN');
      try {
        await client.query(`SELECT set_config('role', $1, true)`, [role]);
        if (tenant !== null)
          await client.query(`SELECT set_config('app.current_tenant_id', $1, true)`, [tenant]);
        return await work();
      } finally {
        await client.query('ROLLBACK');
      }
    };
    const tenantsIn = async (table: string): Promise<string[]> =>
      (
        await client.query<{ tenant_id: string }>(`SELECT DISTINCT tenant_id FROM ${table} ORDER BY 1`)
      ).rows.map((row) => row.tenant_id);

    it('is what it must be for every table, policy, view, function and role', async () => {
      expect(await protectionOf(client)).toEqual(EXPECTED);
    });

    // The check above can fail: each of these is undone at the end.
    it.each([
      'DROP POLICY webhook_events_tenant ON webhook_events',
      'ALTER TABLE webhook_deliveries NO FORCE ROW LEVEL SECURITY',
      'ALTER TABLE webhook_attempts DISABLE ROW LEVEL SECURITY',
      'ALTER POLICY webhook_tasks_worker ON webhook_tasks USING (true)',
      'CREATE TABLE forgotten (tenant_id text)',
      'CREATE VIEW all_of_them AS SELECT * FROM webhook_events',
    ])('notices %s', async (change) => {
      await client.query('BEGIN');
      await client.query(change);
      expect(await protectionOf(client)).not.toEqual(EXPECTED);
      await client.query('ROLLBACK');
    });

    it('shows a tenant its own rows, and nobody’s where no tenant is set', async () => {
      for (const table of ['webhook_subscriptions', 'webhook_events']) {
        expect(await under(TENANT_ROLE, 'a', () => tenantsIn(table))).toEqual(['a']);
        expect(await under(TENANT_ROLE, '', () => tenantsIn(table))).toEqual([]);
        expect(await under(TENANT_ROLE, null, () => tenantsIn(table))).toEqual([]);
        expect(await under(WORKER_ROLE, null, () => tenantsIn(table))).toEqual(['a', 'b']);
      }
    });

    it.each([
      [
        'insert',
        `INSERT INTO webhook_events (tenant_id, id, event, payload) VALUES ('b', gen_random_uuid(), 'e.x', '{}')`,
      ],
      ['move', `UPDATE webhook_deliveries SET tenant_id = 'b'`],
      ['delete', `DELETE FROM webhook_events`],
    ])('lets a tenant %s nothing beyond what it may', async (_what, sql) => {
      await expect(under(TENANT_ROLE, 'a', () => client.query(sql))).rejects.toMatchObject({ code: '42501' });
    });

    it('changes no row of another tenant', async () => {
      const changed = await under(TENANT_ROLE, 'a', async () => {
        const { rowCount } = await client.query(
          `UPDATE webhook_subscriptions SET active = false WHERE tenant_id = 'b'`,
        );
        return rowCount;
      });
      expect(changed).toBe(0);
    });

    it('leaves the caller’s tenant as it was after an emit', async () => {
      const setting = await under(TENANT_ROLE, 'a', async () => {
        await client.query(
          `SELECT * FROM webhook_emit('b', gen_random_uuid(), 'e.x', ARRAY['e.x'], '{}', NULL, NULL, false, NULL)`,
        );
        return (await client.query<{ is: string }>(`SELECT current_setting('app.current_tenant_id') AS is`))
          .rows[0]?.is;
      });
      expect(setting).toBe('a');
    });

    // Red with a session-level SET, or when a failed transaction left its tenant behind.
    it('keeps tenants apart on one connection, a thousand times, with failures between', async () => {
      const dataSource = await new DataSource(dataSourceOptions(database.url, 1)).initialize();
      const tenants = new TenantTransaction(dataSource);
      try {
        for (let n = 0; n < 1_000; n += 1) {
          const tenant = n % 2 === 0 ? 'a' : 'b';
          if (n % 7 === 0) {
            await expect(tenants.run('c', (manager) => manager.query('SELECT 1 / 0'))).rejects.toThrow();
          }
          const rows = await tenants.run(tenant, (manager) =>
            manager.query<{ tenant_id: string }[]>('SELECT DISTINCT tenant_id FROM webhook_subscriptions'),
          );
          if (rows.length !== 1 || rows[0]?.tenant_id !== tenant) {
            throw new Error(`tenant ${tenant} saw ${JSON.stringify(rows)} at ${n}`);
          }
        }
        const left = await dataSource.query<{ tenant: string | null; role: string }[]>(
          `SELECT nullif(current_setting('app.current_tenant_id', true), '') AS tenant, current_setting('role') AS role`,
        );
        expect(left).toEqual([{ tenant: null, role: 'none' }]);
      } finally {
        await dataSource.destroy();
      }
    }, 180_000);
  });
}

describeWithPostgres('with a server', () => {
  rowLevelSecurity('PostgreSQL', async () => {
    const { url, drop } = await createTestDatabase(testDatabaseUrl());
    return { url, dispose: drop };
  });

  // Red with a policy for the worker that asks for membership alone: the owner inherits it.
  it('shows nothing to a plain owner who took on no role', async () => {
    const admin = new pg.Client({ connectionString: testDatabaseUrl() });
    await admin.connect();
    const owner = `owner_${randomBytes(4).toString('hex')}`;
    await admin.query(`CREATE ROLE ${owner} LOGIN CREATEROLE PASSWORD 'owner'`);
    const { url, name, drop } = await createTestDatabase(testDatabaseUrl());
    await admin.query(`ALTER DATABASE ${name} OWNER TO ${owner}`);
    const own = new URL(url);
    own.username = owner;
    own.password = 'owner';
    for (const role of [TENANT_ROLE, WORKER_ROLE]) {
      await admin.query(
        `DO $$ BEGIN CREATE ROLE ${role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
      );
      await admin.query(`GRANT ${role} TO ${owner} WITH ADMIN OPTION`);
    }
    const inside = new pg.Client({ connectionString: url });
    await inside.connect();
    await inside.query(`ALTER SCHEMA public OWNER TO ${owner}`);
    await inside.end();
    try {
      await migrate(own.href);
      const client = new pg.Client({ connectionString: own.href });
      await client.connect();
      await client.query('BEGIN');
      await client.query(`SELECT set_config('role', $1, true)`, [WORKER_ROLE]);
      await client.query('COMMIT');
      await client.query('BEGIN');
      await client.query(`SELECT set_config('app.current_tenant_id', 'a', true)`);
      await client.query(
        `INSERT INTO webhook_events (tenant_id, id, event, payload) VALUES ('a', gen_random_uuid(), 'e.x', '{}')`,
      );
      await client.query('COMMIT');
      expect((await client.query('SELECT 1 FROM webhook_events')).rowCount).toBe(0);
      await client.query('BEGIN');
      await client.query(`SELECT set_config('role', $1, true)`, [WORKER_ROLE]);
      expect((await client.query('SELECT 1 FROM webhook_events')).rowCount).toBe(1);
      await client.query('ROLLBACK');
      await client.end();
    } finally {
      await drop();
      await admin.query(`DROP ROLE ${owner}`);
      await admin.end();
    }
  }, 180_000);
});

rowLevelSecurity('the embedded database', async () => {
  const folder = temporaryFolder('rls-');
  await prepareEmbeddedFiles(folder.path);
  const embedded = await EmbeddedDatabase.start(folder.path);
  return {
    url: embedded.url,
    dispose: async () => {
      await embedded.stop();
      folder.remove();
    },
  };
});
