import { testDatabaseUrl } from './servers.js';
import { createTestDatabase, preparedTemplate, type TestDatabase } from './test-database.js';

/** A database of its own with all migrations: a copy of one that the first caller of a run has migrated. */
export async function createMigratedDatabase(): Promise<TestDatabase> {
  const template = await preparedTemplate(testDatabaseUrl(), 'all-migrations', async (url) => {
    // Only where it is needed: TypeORM takes seconds to load in a test.
    const { migrate } = await import('../../src/platform/database/migrate.js');
    await migrate(url);
  });
  return createTestDatabase(testDatabaseUrl(), { template });
}
