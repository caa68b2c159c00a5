import type { QueryRunner } from 'typeorm';

import { openForMigrations } from './migrations.js';

/** Held while migrating, so that two processes that start together do not migrate at once. Any constant serves. */
const MIGRATION_LOCK = 7_462_001;

/** Milliseconds between two questions for the lock, and how long another process may migrate before this one gives up. */
const LOCK_POLL_MS = 200;
const LOCK_WAIT_MS = 600_000;

/** Brings the database's schema up to date. @returns the names of the migrations that were run. */
export async function migrate(url: string): Promise<string[]> {
  const dataSource = await openForMigrations(url);
  try {
    const lock = dataSource.createQueryRunner();
    try {
      await takeLock(lock);
      try {
        const done = await dataSource.runMigrations();
        return done.map((migration) => migration.name);
      } finally {
        await lock.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      }
    } finally {
      await lock.release();
    }
  } finally {
    await dataSource.destroy();
  }
}

/** Asked for again and again: a wait inside the database would end at whatever statement_timeout it has by default. */
async function takeLock(runner: QueryRunner): Promise<void> {
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const [row] = (await runner.query('SELECT pg_try_advisory_lock($1) AS taken', [MIGRATION_LOCK])) as {
      readonly taken: boolean;
    }[];
    if (row?.taken === true) return;
    if (Date.now() > deadline) throw new Error('another process has been migrating for ten minutes');
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}
