import type { DataSource } from 'typeorm';

import { DatabaseNotReadyError } from './database-errors.js';
import { databaseProblem } from './database-problem.js';
import { inspectRoles } from './inspect-roles.js';
import { inspectTables } from './inspect-tables.js';
import { migrate } from './migrate.js';
import { executedMigrations, openForMigrations } from './migrations.js';
import type { Findings, Query } from './protection-findings.js';

/**
 * Makes sure that the database answers, is migrated, and that row-level security can hold.
 *
 * @returns what an administrator should be warned of
 * @throws DatabaseNotReadyError
 */
export async function prepareDatabase(
  url: string,
  options: {
    readonly migrate: boolean;
    /** Refuses where row-level security could fail, instead of warning of it. */
    readonly strict: boolean;
    /** Ours alone, under a login that is always a superuser. */
    readonly embedded: boolean;
  },
): Promise<{ readonly migrated: readonly string[]; readonly warnings: readonly string[] }> {
  try {
    const migrated = options.migrate ? await migrate(url) : [];
    const problems = await inspect(url, options.migrate);
    if (problems.fatal.length > 0) throw new DatabaseNotReadyError(problems.fatal.join('\n'));
    if (options.strict && problems.unsafe.length > 0)
      throw new DatabaseNotReadyError(problems.unsafe.join('\n'));
    const notes = options.embedded ? [] : problems.notes;
    return { migrated, warnings: [...problems.unsafe, ...notes] };
  } catch (cause) {
    if (cause instanceof DatabaseNotReadyError) throw cause;
    throw new DatabaseNotReadyError(databaseProblem(url, cause));
  }
}

async function inspect(url: string, migrated: boolean): Promise<Findings> {
  const dataSource = await openForMigrations(url);
  try {
    if (!migrated && (await hasPending(dataSource))) {
      return {
        fatal: ['The database is not up to date: run `npm run migration:run` first.'],
        unsafe: [],
        notes: [],
      };
    }
    return await dataSource.transaction(async (manager) => {
      const query: Query = (sql, parameters) => manager.query(sql, [...parameters]);
      const roles = await inspectRoles(query);
      return { ...roles, unsafe: [...roles.unsafe, ...(await inspectTables(query))] };
    });
  } finally {
    await dataSource.destroy();
  }
}

async function hasPending(dataSource: DataSource): Promise<boolean> {
  const done = new Set(await executedMigrations(dataSource));
  return dataSource.migrations.some(({ name = '' }) => !done.has(name));
}
