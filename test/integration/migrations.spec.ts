import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';

import { EmbeddedDatabase } from '../../src/platform/database/embedded-database.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { openForMigrations } from '../../src/platform/database/migrations.js';
import { queryOnce, startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { rolesOf, schemaSnapshot, snapshotBy } from '../support/schema-snapshot.js';
import { prepareEmbeddedFiles } from '../support/embedded-files.js';
import { describeWithPostgres } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Migrations that fill columns and change nothing of the schema. */
const ROWS_ALONE = new Set(['LastAttempts1764002205000']);

/** The migrations of the project, to be run one by one over connections that stay open. */
async function opened<T>(url: string, work: (steps: Steps) => Promise<T>): Promise<T> {
  const dataSource = await openForMigrations(url);
  try {
    return await work(new Steps(dataSource));
  } finally {
    await dataSource.destroy();
  }
}

class Steps {
  private readonly all: DataSource['migrations'];

  constructor(private readonly dataSource: DataSource) {
    this.all = [...dataSource.migrations];
  }

  get names(): readonly string[] {
    return this.all.map(({ name = '' }) => name);
  }

  /** Runs the first `count` of them, those that are still missing. */
  async upTo(count: number): Promise<void> {
    this.dataSource.migrations.splice(0, this.all.length, ...this.all.slice(0, count));
    await this.dataSource.runMigrations();
  }

  async snapshot(): Promise<readonly string[]> {
    return snapshotBy((sql) => this.dataSource.query(sql));
  }

  async down(): Promise<void> {
    await this.dataSource.undoLastMigration();
  }

  async allDown(): Promise<void> {
    for (const _each of this.all) await this.down();
  }
}

/** Up one by one, then down one by one: after each step down all must be as it was before that step up. */
async function expectReversible(url: string): Promise<void> {
  const after = await opened(url, async (steps) => {
    const total = steps.names.length;
    expect(total).toBeGreaterThan(1);
    const before = [await steps.snapshot()];
    for (let count = 1; count <= total; count += 1) {
      await steps.upTo(count);
      before.push(await steps.snapshot());
      if (!ROWS_ALONE.has(steps.names[count - 1]!)) expect(before[count]).not.toEqual(before[count - 1]);
    }
    for (let count = total; count >= 1; count -= 1) {
      await steps.down();
      expect(await steps.snapshot()).toEqual(before[count - 1]);
    }
    return before;
  });
  const names = await migrate(url);
  expect(names).toHaveLength(after.length - 1);
  expect(await schemaSnapshot(url)).toEqual(after.at(-1));
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
    await opened(database.url, (steps) => steps.allDown());
    expect(await rolesOf(database.url)).toEqual([]);
    expect(await queryOnce(database.url, 'SELECT * FROM migrations')).toEqual([]);
    await migrate(database.url);
  }, 180_000);

  it('leave the roles to another database of the server that still uses them', async () => {
    const other = await createTestDatabase(server.url);
    await migrate(other.url);
    const kept = await schemaSnapshot(other.url);
    await opened(database.url, (steps) => steps.allDown());
    expect(await rolesOf(other.url)).toEqual(['webhooks_tenant', 'webhooks_worker']);
    expect(await schemaSnapshot(other.url)).toEqual(kept);
    await migrate(database.url);
    await other.drop();
  }, 180_000);

  it('run once when several processes start at the same moment', async () => {
    const fresh = await createTestDatabase(server.url);
    const ran = await Promise.all(Array.from({ length: 4 }, () => migrate(fresh.url)));
    const total = await opened(fresh.url, ({ names }) => Promise.resolve(names.length));
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
      await expectReversible(embedded.url);
    } finally {
      await embedded.stop();
      folder.remove();
    }
  }, 180_000);
});
