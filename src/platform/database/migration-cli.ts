import type { DataSource } from 'typeorm';

import { readEnvironment } from '../config/environment.js';
import { VARIABLES } from '../config/variables.js';
import { databaseProblem } from './database-problem.js';
import { migrate } from './migrate.js';
import { executedMigrations, openForMigrations } from './migrations.js';

const USAGE = 'usage: npm run migration:run | migration:revert | migration:show, with DATABASE_URL set';

/**
 * Runs `run`, `revert` (the last one) or `show` on the database of DATABASE_URL and prints what was done.
 *
 * @returns the exit code
 */
export async function runMigrationCommand(
  command: string | undefined,
  processEnv: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const url = readEnvironment(processEnv)['DATABASE_URL'];
  if (command !== 'run' && command !== 'revert' && command !== 'show') return fail(USAGE);
  if (url === undefined || url === '') {
    return fail(
      'DATABASE_URL is not set: it names the PostgreSQL database to migrate, for instance postgres://user:password@localhost:5432/gestiqcloud',
    );
  }
  const parsed = VARIABLES.DATABASE_URL.parse(url);
  if (!parsed.ok) return fail(`DATABASE_URL: expected ${parsed.expected}`);
  try {
    if (command === 'run') return say(listed('Ran', await migrate(url)));
    return say(await onDataSource(url, command === 'revert' ? revert : show));
  } catch (cause) {
    return fail(`The migration failed. ${databaseProblem(url, cause)}`);
  }
}

async function onDataSource(url: string, work: (dataSource: DataSource) => Promise<string>): Promise<string> {
  const dataSource = await openForMigrations(url);
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

async function revert(dataSource: DataSource): Promise<string> {
  const before = await executedMigrations(dataSource);
  await dataSource.undoLastMigration();
  const after = new Set(await executedMigrations(dataSource));
  return listed(
    'Reverted',
    before.filter((name) => !after.has(name)),
  );
}

async function show(dataSource: DataSource): Promise<string> {
  const done = new Set(await executedMigrations(dataSource));
  return dataSource.migrations.map(({ name = '' }) => `[${done.has(name) ? 'X' : ' '}] ${name}`).join('\n');
}

function listed(verb: string, names: readonly string[]): string {
  return names.length === 0 ? 'Nothing to do.' : names.map((name) => `${verb} ${name}`).join('\n');
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function fail(text: string): number {
  process.stderr.write(`${text}\n`);
  return 1;
}
