import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';

import { EmbeddedDatabase } from '../../src/platform/database/embedded-database.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { openForMigrations } from '../../src/platform/database/migrations.js';
import { prepareEmbeddedFiles } from '../support/embedded-files.js';
import { queryOnce, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { rolesOf, schemaSnapshot } from '../support/schema-snapshot.js';
import { describeWithPostgres } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Migrations that fill columns and change nothing of the schema. */
const ROWS_ALONE = new Set(['LastAttempts1764002205000']);

/** All migrations of the project over one connection, of which as many are known as were taken up. */
class Steps {
  private readonly left;

  private constructor(private readonly dataSource: DataSource) {
    this.left = dataSource.migrations.splice(0);
  }

  static async open(url: string): Promise<Steps> {
    return new Steps(await openForMigrations(url));
  }

  /** @returns the name of the migration that it runs; undefined when there is none left */
  async up(): Promise<string | undefined> {
    const next = this.left.shift();
    if (next === undefined) return undefined;
    this.dataSource.migrations.push(next);
    expect(await this.dataSource.runMigrations()).toHaveLength(1);
    return next.name;
  }

  async down(): Promise<void> {
    await this.dataSource.undoLastMigration();
  }

  schema(): Promise<readonly string[]> {
    return schemaSnapshot((sql) => this.dataSource.query(sql));
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }
}

async function allDown(url: string): Promise<void> {
  const dataSource = await openForMigrations(url);
  for (const _ of dataSource.migrations) await dataSource.undoLastMigration();
  await dataSource.destroy();
}

/** Up one by one, then down one by one: after each step down all must be as it was before that step up. */
async function expectReversible(url: string): Promise<void> {
  const steps = await Steps.open(url);
  const before = [await steps.schema()];
  for (let name = await steps.up(); name !== undefined; name = await steps.up()) {
    before.push(await steps.schema());
    if (!ROWS_ALONE.has(name)) expect(before.at(-1)).not.toEqual(before.at(-2));
  }
  const total = before.length - 1;
  expect(total).toBeGreaterThan(1);
  for (let count = total; count >= 1; count -= 1) {
    await steps.down();
    expect(await steps.schema()).toEqual(before[count - 1]);
  }
  await steps.close();
  const names = await migrate(url);
  expect(names).toHaveLength(total);
  expect(await schemaSnapshot((sql) => queryOnce(url, sql))).toEqual(before[total]);
  expect(await migrate(url)).toEqual([]);
}

/** The same as a whole: in WebAssembly a look after each step takes longer than all steps, which are the same there. */
async function expectReversibleAsAWhole(url: string): Promise<void> {
  const schema = (): Promise<readonly string[]> => schemaSnapshot((sql) => queryOnce(url, sql));
  const before = await schema();
  const names = await migrate(url);
  expect(names.length).toBeGreaterThan(1);
  const migrated = await schema();
  expect(migrated).not.toEqual(before);
  await allDown(url);
  expect(await schema()).toEqual(before);
  expect(await migrate(url)).toEqual(names);
  expect(await schema()).toEqual(migrated);
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
    await allDown(database.url);
    expect(await rolesOf(database.url)).toEqual([]);
    expect(await queryOnce(database.url, 'SELECT * FROM migrations')).toEqual([]);
    await migrate(database.url);
  }, 180_000);

  it('leave the roles to another database of the server that still uses them', async () => {
    const other = await createTestDatabase(server.url);
    await migrate(other.url);
    const schema = (): Promise<readonly string[]> => schemaSnapshot((sql) => queryOnce(other.url, sql));
    const kept = await schema();
    await allDown(database.url);
    expect(await rolesOf(other.url)).toEqual(['webhooks_tenant', 'webhooks_worker']);
    expect(await schema()).toEqual(kept);
    await migrate(database.url);
    await other.drop();
  }, 180_000);

  it('run once when several processes start at the same moment', async () => {
    const fresh = await createTestDatabase(server.url);
    const ran = await Promise.all(Array.from({ length: 4 }, () => migrate(fresh.url)));
    const total = (await queryOnce(fresh.url, 'SELECT FROM migrations')).length;
    expect(ran.map((names) => names.length).sort()).toEqual([0, 0, 0, total]);
    await fresh.drop();
  }, 180_000);
});

describeWithPostgres('migrations on the embedded database', () => {
  it('go up, down and up again', async () => {
    const folder = temporaryFolder('webhooks-migrations-');
    await prepareEmbeddedFiles(folder.path);
    const embedded = await EmbeddedDatabase.start(folder.path);
    try {
      await expectReversibleAsAWhole(embedded.url);
    } finally {
      await embedded.stop();
      folder.remove();
    }
  }, 180_000);
});
