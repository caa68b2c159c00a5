import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { EmbeddedDatabase } from '../../src/platform/database/embedded-database.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { openForMigrations } from '../../src/platform/database/migrations.js';
import { queryOnce, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { rolesOf, schemaSnapshot } from '../support/schema-snapshot.js';
import { describeWithPostgres } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Migrations that fill columns and change nothing of the schema. */
const ROWS_ALONE = new Set(['LastAttempts1764002205000']);

/** Runs the first `count` migrations of the project, those that are still missing. */
async function upTo(url: string, count: number): Promise<void> {
  const all = await openForMigrations(url);
  const classes = all.migrations.map((migration) => migration.constructor as new () => never);
  await all.destroy();
  const dataSource = new DataSource({ ...dataSourceOptions(url, 2), migrations: classes.slice(0, count) });
  await dataSource.initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
}

async function down(url: string): Promise<void> {
  const dataSource = await openForMigrations(url);
  try {
    await dataSource.undoLastMigration();
  } finally {
    await dataSource.destroy();
  }
}

async function namesOfMigrations(url: string): Promise<string[]> {
  const dataSource = await openForMigrations(url);
  await dataSource.destroy();
  return dataSource.migrations.map(({ name = '' }) => name);
}

/** Up one by one, then down one by one: after each step down all must be as it was before that step up. */
async function expectReversible(url: string): Promise<void> {
  const all = await namesOfMigrations(url);
  const total = all.length;
  expect(total).toBeGreaterThan(1);
  const before = [await schemaSnapshot(url)];
  for (let count = 1; count <= total; count += 1) {
    await upTo(url, count);
    before.push(await schemaSnapshot(url));
    if (!ROWS_ALONE.has(all[count - 1]!)) expect(before[count]).not.toEqual(before[count - 1]);
  }
  for (let count = total; count >= 1; count -= 1) {
    await down(url);
    expect(await schemaSnapshot(url)).toEqual(before[count - 1]);
  }
  const names = await migrate(url);
  expect(names).toHaveLength(total);
  expect(await schemaSnapshot(url)).toEqual(before[total]);
  expect(await migrate(url)).toEqual([]);
}

// A server of its own: roles belong to the server, and others of this run hold them on the shared one.
describeWithPostgres('migrations on an empty PostgreSQL', () => {
  let server: PostgresServer;
  let database: TestDatabase;

  beforeAll(async () => {
    server = await startPostgres();
    database = await createTestDatabase(server.url);
  }, 180_000);

  afterAll(async () => {
    await server?.dispose();
  });

  // Red when a `down` forgets an object or a grant: the snapshot of the step before it differs then.
  it('go up, all the way down with nothing left behind, and up again to the same schema', async () => {
    expect(await rolesOf(database.url)).toEqual([]);
    await expectReversible(database.url);
    expect(await rolesOf(database.url)).toEqual(['webhooks_tenant', 'webhooks_worker']);
    const total = (await namesOfMigrations(database.url)).length;
    for (let count = 0; count < total; count += 1) await down(database.url);
    expect(await rolesOf(database.url)).toEqual([]);
    expect(await queryOnce(database.url, 'SELECT * FROM migrations')).toEqual([]);
    await migrate(database.url);
  }, 180_000);

  it('leave the roles to another database of the server that still uses them', async () => {
    const other = await createTestDatabase(server.url);
    await migrate(other.url);
    const kept = await schemaSnapshot(other.url);
    const total = (await namesOfMigrations(database.url)).length;
    for (let count = 0; count < total; count += 1) await down(database.url);
    expect(await rolesOf(other.url)).toEqual(['webhooks_tenant', 'webhooks_worker']);
    expect(await schemaSnapshot(other.url)).toEqual(kept);
    await migrate(database.url);
    await other.drop();
  }, 180_000);

  it('run once when several processes start at the same moment', async () => {
    const fresh = await createTestDatabase(server.url);
    const ran = await Promise.all(Array.from({ length: 4 }, () => migrate(fresh.url)));
    expect(ran.map((names) => names.length).sort()).toEqual([
      0,
      0,
      0,
      (await namesOfMigrations(fresh.url)).length,
    ]);
    await fresh.drop();
  }, 180_000);
});

describeWithPostgres('migrations on the embedded database', () => {
  it('go up, down and up again', async () => {
    const folder = temporaryFolder('webhooks-migrations-');
    const embedded = await EmbeddedDatabase.start(folder.path);
    try {
      await expectReversible(embedded.url);
    } finally {
      await embedded.stop();
      folder.remove();
    }
  }, 180_000);
});
