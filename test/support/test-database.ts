import { createHash, randomBytes } from 'node:crypto';
import pg from 'pg';
import { queryOnce } from './postgres-server.js';
import { eventually } from './eventually.js';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Cuts what is still connected, then removes the database. */
  drop(): Promise<void>;
}

/**
 * A fresh, empty database of its own for a test file; or a copy of `template`, which is much faster than migrating it.
 *
 * @param baseUrl any database of the server, e.g. `testDatabaseUrl()`
 * @example const database = await createTestDatabase(testDatabaseUrl()); … await database.drop();
 */
export async function createTestDatabase(
  baseUrl: string,
  options: { readonly template?: string } = {},
): Promise<TestDatabase> {
  const name = `${prefixOfRun()}${randomBytes(6).toString('hex')}`;
  const template = options.template ? ` TEMPLATE ${pg.escapeIdentifier(options.template)}` : '';
  // "source database is being accessed by other users": its migrating connection may be about to close.
  await eventually(() => queryOnce(baseUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)}${template}`), {
    timeoutMs: 60_000,
    intervalMs: 100,
  });
  return { name, url: urlOf(baseUrl, name), drop: () => dropDatabase(baseUrl, name) };
}

/**
 * The name of a template database, prepared once per run and shared by all test files (also those of other workers).
 *
 * @param key what tells templates apart, e.g. the list of migrations
 * @param prepare migrates the database at the URL and closes its connections
 */
export async function preparedTemplate(
  baseUrl: string,
  key: string,
  prepare: (url: string) => Promise<void>,
): Promise<string> {
  const name = `${prefixOfRun()}template_${createHash('sha256').update(key).digest('hex').slice(0, 12)}`;
  const client = new pg.Client({ connectionString: baseUrl });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [name]);
    const ready = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [`${name}_ready`]);
    if (ready.rowCount) return `${name}_ready`;
    await dropDatabase(baseUrl, name); // a preparation that failed half-way
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    await prepare(urlOf(baseUrl, name));
    await client.query(
      `ALTER DATABASE ${pg.escapeIdentifier(name)} RENAME TO ${pg.escapeIdentifier(`${name}_ready`)}`,
    );
    return `${name}_ready`;
  } finally {
    await client.end(); // gives the lock back
  }
}

/** Drops what this run left behind on a server that outlives it. */
export async function dropDatabasesOfRun(baseUrl: string, runId: string): Promise<void> {
  const like = `webhooks_test_${runId}_%`.replaceAll('_', '\\_');
  const rows = await queryOnce<{ datname: string }>(
    baseUrl,
    `SELECT datname FROM pg_database WHERE datname LIKE ${pg.escapeLiteral(like)}`,
  );
  for (const row of rows) await dropDatabase(baseUrl, row.datname);
}

async function dropDatabase(baseUrl: string, name: string): Promise<void> {
  await queryOnce(baseUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
}

function urlOf(baseUrl: string, name: string): string {
  const url = new URL(baseUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

function prefixOfRun(): string {
  return `webhooks_test_${process.env['TEST_RUN_ID'] ?? 'adhoc'}_`;
}
