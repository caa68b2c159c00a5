import type { DataSource } from 'typeorm';

import { databaseProblem } from './database-problem.js';
import { migrate } from './migrate.js';
import { executedMigrations, openForMigrations } from './migrations.js';
import { TENANT_ROLE, WORKER_ROLE } from './roles.js';

/** The database cannot be used as it is; the message says what to do, so no stack is needed. */
export class DatabaseNotReadyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DatabaseNotReadyError';
  }
}

/**
 * Makes sure that the database answers, is migrated, and that row-level security can hold.
 *
 * @returns what an administrator should be warned of
 * @throws DatabaseNotReadyError
 */
export async function prepareDatabase(
  url: string,
  options: { readonly migrate: boolean; readonly strict: boolean },
): Promise<{ readonly migrated: readonly string[]; readonly warnings: readonly string[] }> {
  try {
    const migrated = options.migrate ? await migrate(url) : [];
    const problems = await inspect(url, options.migrate);
    if (problems.fatal.length > 0) throw new DatabaseNotReadyError(problems.fatal.join('\n'));
    if (options.strict && problems.unsafe.length > 0)
      throw new DatabaseNotReadyError(problems.unsafe.join('\n'));
    return { migrated, warnings: problems.unsafe };
  } catch (cause) {
    if (cause instanceof DatabaseNotReadyError) throw cause;
    throw new DatabaseNotReadyError(databaseProblem(url, cause));
  }
}

async function inspect(url: string, migrated: boolean): Promise<{ fatal: string[]; unsafe: string[] }> {
  const dataSource = await openForMigrations(url);
  try {
    if (!migrated && (await hasPending(dataSource))) {
      return { fatal: ['The database is not up to date: run `npm run migration:run` first.'], unsafe: [] };
    }
    const roles = await dataSource.query<{ name: string; usable: boolean; bypasses: boolean }[]>(
      `SELECT rolname AS name, pg_has_role(current_user, oid, 'MEMBER') AS usable, rolsuper OR rolbypassrls AS bypasses
         FROM pg_roles WHERE rolname = ANY ($1)`,
      [[TENANT_ROLE, WORKER_ROLE]],
    );
    const missing = [TENANT_ROLE, WORKER_ROLE].filter(
      (name) => !roles.some((role) => role.name === name && role.usable),
    );
    return {
      fatal: missing.map((name) => `The database user may not use the role ${name}: GRANT ${name} TO it.`),
      unsafe: roles
        .filter((role) => role.bypasses)
        .map(
          (role) =>
            `The role ${role.name} could bypass row-level security: ALTER ROLE ${role.name} NOSUPERUSER NOBYPASSRLS.`,
        ),
    };
  } finally {
    await dataSource.destroy();
  }
}

async function hasPending(dataSource: DataSource): Promise<boolean> {
  const done = new Set(await executedMigrations(dataSource));
  return dataSource.migrations.some(({ name = '' }) => !done.has(name));
}
