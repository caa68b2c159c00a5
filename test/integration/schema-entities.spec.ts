import { randomBytes } from 'node:crypto';

import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';

import { AppModule } from '../../src/app.module.js';
import { readConfiguration } from '../../src/platform/config/configuration.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { PinoAppLogger } from '../../src/platform/observability/pino-app-logger.js';
import { OneAtATimeClient } from '../support/one-at-a-time-client.js';
import { queryOnce } from '../support/postgres-server.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

/** The statements with which TypeORM would make the schema fit the row classes; none is what it should be. */
async function missingStatements(application: DataSource, url: string): Promise<string[]> {
  const options = dataSourceOptions(url, 2);
  const dataSource = await new DataSource({
    ...options,
    extra: { ...(options.extra as object), Client: OneAtATimeClient },
    entities: application.entityMetadatas.map(({ target }) => target),
  }).initialize();
  try {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  } finally {
    await dataSource.destroy();
  }
}

describeWithPostgres('the row classes and the migrated schema', () => {
  let database: TestDatabase;
  let testing: TestingModule;
  let dataSource: DataSource;

  // The row classes as the whole application registers them, so that no module is forgotten.
  const boot = async (url: string): Promise<void> => {
    const configuration = readConfiguration({
      DATABASE_URL: url,
      JWT_SECRET: 'integration-secret-of-32-characters',
      WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      WEBHOOK_ROLE: 'api',
      LOG_LEVEL: 'silent',
    });
    testing = await Test.createTestingModule({
      imports: [AppModule.forRoot(configuration, url, new PinoAppLogger(configuration.log))],
    }).compile();
    dataSource = testing.get(DataSource);
  };
  beforeEach(async () => {
    database = await createMigratedDatabase();
    await boot(database.url);
  });

  afterEach(async () => {
    await testing?.close();
    await database?.drop();
  });

  it('agree', async () => {
    expect(await missingStatements(dataSource, database.url)).toEqual([]);
  });

  it('are of the same tables', async () => {
    const tables = await queryOnce<{ tablename: string }>(
      database.url,
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations' ORDER BY 1`,
    );
    expect(dataSource.entityMetadatas.map(({ tableName }) => tableName).sort()).toEqual(
      tables.map(({ tablename }) => tablename),
    );
  });

  it.each([
    ['a type', 'ALTER TABLE webhook_deliveries ALTER COLUMN last_error TYPE varchar(80)'],
    ['NOT NULL', 'ALTER TABLE webhook_deliveries ALTER COLUMN target_url DROP NOT NULL'],
    ['a default', 'ALTER TABLE webhook_deliveries ALTER COLUMN attempts SET DEFAULT 1'],
    ['a missing column', 'ALTER TABLE webhook_attempts DROP COLUMN response_body'],
    ['a column too many', 'ALTER TABLE invoices ADD COLUMN note text'],
    ['a missing index', 'DROP INDEX webhook_deliveries_due_ix'],
    ['an index too many', 'CREATE INDEX extra_ix ON webhook_events (event)'],
    ['a missing check', 'ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_status_ck'],
    [
      'a foreign key too many',
      `ALTER TABLE webhook_attempts ADD CONSTRAINT extra_fk FOREIGN KEY (tenant_id, delivery_id)
         REFERENCES webhook_deliveries (tenant_id, id)`,
    ],
    ['a missing table', 'DROP TABLE webhook_attempts'],
  ])('disagree after a change of %s', async (_what, change) => {
    await queryOnce(database.url, change);
    expect(await missingStatements(dataSource, database.url)).not.toEqual([]);
  });
});
