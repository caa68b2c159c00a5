import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { prepareDatabase } from '../../src/platform/database/prepare-database.js';
import { PROTECTED_TABLES } from '../../src/platform/database/protected-tables.js';
import { asSuperuser, databaseOfOrdinaryLogin } from '../support/ordinary-login.js';
import { queryOnce, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { describeWithPostgres } from '../support/servers.js';

const STRICT = { migrate: false, strict: true, embedded: false };

/** What an operator may have done to a table, and what the start has to say of it. */
const DAMAGES: readonly [what: string, sql: (table: string) => string, says: string][] = [
  [
    'switched off',
    (table) => `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
    'Row-level security is off on',
  ],
  ['not forced', (table) => `ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`, 'is not held to row-level'],
  ['without a policy', (table) => `DROP POLICY ${table}_tenant ON ${table}`, 'is missing: CREATE POLICY'],
  [
    'with one that lets all through',
    (table) => `CREATE POLICY "All" ON ${table} USING (true)`,
    'not one of ours',
  ],
  [
    'with a changed policy',
    (table) => `ALTER POLICY ${table}_tenant ON ${table} USING (true)`,
    'was made as',
  ],
  [
    'with a changed check',
    (table) => `ALTER POLICY ${table}_tenant ON ${table} WITH CHECK (true)`,
    'was made as',
  ],
  [
    'with a policy for fewer',
    (table) => `ALTER POLICY ${table}_tenant ON ${table} TO webhooks_worker`,
    'made as',
  ],
  ['owned by the tenant role', (table) => `ALTER TABLE ${table} OWNER TO webhooks_tenant`, 'belongs to'],
];

/** Roles belong to the server, so it is a private one. Red when the start asks about roles alone. */
describeWithPostgres('the check of tenant isolation at the start', () => {
  let server: PostgresServer;
  let url: string;

  beforeAll(async () => {
    server = await startPostgres();
    url = await databaseOfOrdinaryLogin(server);
    await prepareDatabase(url, { ...STRICT, migrate: true });
  }, 180_000);

  afterAll(async () => {
    await server?.dispose();
  });

  const problems = async (): Promise<readonly string[]> =>
    (await prepareDatabase(url, { ...STRICT, strict: false })).warnings;

  /** Runs what each problem says that mends it. */
  const mend = async (found: readonly string[]): Promise<void> => {
    for (const problem of found) {
      await queryOnce(asSuperuser(url), problem.slice(problem.indexOf(': ') + 2));
    }
  };

  const expectRefused = async (says: string): Promise<void> => {
    await expect(prepareDatabase(url, STRICT)).rejects.toThrow(says);
    const found = await problems();
    expect(found.length).toBeGreaterThan(0);
    await mend(found);
    expect((await prepareDatabase(url, STRICT)).warnings).toEqual([]);
  };

  it.each(DAMAGES)(
    'refuses tables %s, each by its name, and what it prints mends it',
    async (_what, sql, says) => {
      for (const { name } of PROTECTED_TABLES) await queryOnce(asSuperuser(url), sql(name));
      const found = await problems();
      for (const { name } of PROTECTED_TABLES) {
        expect(
          found.filter((problem) => problem.includes(`${name} `) || problem.includes(`${name}:`)),
        ).not.toEqual([]);
      }
      await expectRefused(says);
    },
  );

  it.each([
    ['is a superuser', 'ALTER ROLE webhooks_tenant SUPERUSER', 'could bypass row-level security: ALTER ROLE'],
    ['may bypass it', 'ALTER ROLE webhooks_worker BYPASSRLS', 'could bypass row-level security: ALTER ROLE'],
    ['may become the worker', 'GRANT webhooks_worker TO webhooks_tenant', 'may take on webhooks_worker'],
    ['may become a superuser', 'GRANT postgres TO webhooks_tenant', 'may take on postgres'],
  ])('refuses a role that %s, and what it prints mends it', async (_what, sql, says) => {
    await queryOnce(asSuperuser(url), sql);
    await expectRefused(says);
  });

  it('refuses a database that lost a table', async () => {
    await queryOnce(asSuperuser(url), 'ALTER TABLE webhook_tasks RENAME TO lost');
    await expect(prepareDatabase(url, STRICT)).rejects.toThrow('The table webhook_tasks is missing');
    await queryOnce(asSuperuser(url), 'ALTER TABLE lost RENAME TO webhook_tasks');
  });

  it('warns of a login above row-level security, and does not refuse it', async () => {
    const { warnings } = await prepareDatabase(asSuperuser(url), STRICT);
    expect(warnings).toEqual([
      expect.stringContaining('The database user postgres is above row-level security'),
    ]);
    expect((await prepareDatabase(asSuperuser(url), { ...STRICT, embedded: true })).warnings).toEqual([]);
  });

  it('says nothing of other tables in the same database', async () => {
    await queryOnce(url, 'CREATE TABLE customers (tenant_id text)');
    expect((await prepareDatabase(url, STRICT)).warnings).toEqual([]);
  });
});
