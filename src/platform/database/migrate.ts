import { openForMigrations } from './migrations.js';

/** Held while migrating, so that two processes that start together do not migrate at once. Any constant serves. */
const MIGRATION_LOCK = 7_462_001;

/** Brings the database's schema up to date. @returns the names of the migrations that were run. */
export async function migrate(url: string): Promise<string[]> {
  const dataSource = await openForMigrations(url);
  try {
    const lock = dataSource.createQueryRunner();
    try {
      await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const done = await dataSource.runMigrations();
      return done.map((migration) => migration.name);
    } finally {
      await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}
