import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { EmbeddedDatabase } from '../../src/platform/database/embedded-database.js';
import { privateSocket } from '../../src/platform/database/embedded-files.js';
import { queryOnce } from '../support/postgres-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder('embedded-');
let running: EmbeddedDatabase | undefined;

// Also after a failure: one that goes on would keep the tests from ending.
afterEach(async () => {
  await running?.stop();
  running = undefined;
  folder.remove();
});

/**
 * Memory that a running database may have beside JavaScript's own. It is 146 MiB at a start that finds its files, and was 644 at one
 * that made them in its own process: WebAssembly gives nothing back.
 */
const MOST_BYTES = 300 * 1024 * 1024;

const socketOf = (url: string): string => join(new URL(url).searchParams.get('host') ?? '', '.s.PGSQL.5432');

/** Red where the database listens on a port: whoever is on the machine is its superuser then. */
it('is reached through a socket of a folder that is closed to others, also after a kill', async () => {
  const dataDir = join(folder.path, 'data');
  // What a process that was killed leaves behind.
  mkdirSync(join(dataDir, 'socket'), { recursive: true, mode: 0o755 });
  writeFileSync(join(dataDir, 'socket', '.s.PGSQL.5432'), '');
  const before = process.memoryUsage().external;
  running = await EmbeddedDatabase.start(dataDir);
  // The first start leaves no more than later ones. Red where it makes the files of the database itself.
  expect(process.memoryUsage().external - before).toBeLessThan(MOST_BYTES);
  const { url } = running;
  expect(socketOf(url)).toBe(join(dataDir, 'socket', '.s.PGSQL.5432'));
  expect(statSync(dirname(socketOf(url))).mode & 0o777).toBe(0o700);
  await queryOnce(url, 'CREATE TABLE kept AS SELECT 1 AS id');
  // Taken as a whole at the start: with PostgreSQL's default, the process has 100 MB more.
  expect(await queryOnce(url, 'SHOW shared_buffers')).toEqual([{ shared_buffers: '16MB' }]);
  const dataSource = await new DataSource(dataSourceOptions(url, 2)).initialize();
  expect(await dataSource.query('SELECT id FROM kept')).toEqual([{ id: 1 }]);
  await dataSource.destroy();
  await running.stop();
  running = undefined;
  expect(existsSync(socketOf(url))).toBe(false);
}, 180_000);

it('puts a socket whose path would be too long into a closed folder of the temporary one, and removes it', async () => {
  const { path, remove } = await privateSocket(join(folder.path, 'a'.repeat(120)));
  expect(Buffer.byteLength(path)).toBeLessThan(104);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  await remove();
  expect(existsSync(dirname(path))).toBe(false);
});
