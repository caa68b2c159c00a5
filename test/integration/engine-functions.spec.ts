import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { createMigratedDatabase } from '../support/migrated-database.js';
import { queryOnce } from '../support/postgres-server.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';

describeWithPostgres('the functions of the engine', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createMigratedDatabase();
  }, 120_000);

  afterAll(async () => {
    await database?.drop();
  });

  /*
   * On most tables a plan is the same without one of these, and on some it is not: so beside what statements read
   * (hot-path-cost.spec.ts) they are looked at by name. Red when one is taken away from any of the functions, or left out where a
   * later version says its own.
   */
  it('go by key where deliveries are looked up, whatever is known of the tables', async () => {
    const settings = ['bitmapscan', 'hashjoin', 'mergejoin', 'seqscan'].map((kind) => `enable_${kind}=off`);
    const functions = await queryOnce<{ name: string; config: string[] }>(
      database.url,
      `SELECT DISTINCT ON (p.proname) p.proname AS name, p.proconfig AS config FROM pg_proc p
        WHERE p.proname IN ('webhook_claim', 'webhook_emit', 'webhook_settle')
        ORDER BY p.proname, p.pronargs DESC`,
    );
    const missing = functions.flatMap(({ name, config }) =>
      [...settings, 'plan_cache_mode=force_generic_plan']
        .filter((setting) => !config.includes(setting))
        .map((setting) => `${name}: ${setting}`),
    );
    expect([functions.length, missing]).toEqual([3, []]);
  });

  // Red when a later function leaves it out: PostgreSQL may compile a statement for half a second that takes a millisecond.
  it('has no statement compiled in a function that rules out plans: they are dear by name alone', async () => {
    const functions = await queryOnce<{ name: string; compiles: boolean }>(
      database.url,
      `SELECT p.oid::regprocedure::text AS name, NOT 'jit=off' = ANY (p.proconfig) AS compiles
         FROM pg_proc p WHERE p.proname LIKE 'webhook%' AND p.proconfig::text LIKE '%enable\\_%'`,
    );
    expect(functions.length).toBeGreaterThan(5);
    expect(functions.filter(({ compiles }) => compiles)).toEqual([]);
  });
});
