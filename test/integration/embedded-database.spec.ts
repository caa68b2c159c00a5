import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterEach, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { EmbeddedDatabase } from '../../src/platform/database/embedded-database.js';
import { privateSocket } from '../../src/platform/database/embedded-files.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { queryOnce } from '../support/postgres-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SERVER = join(import.meta.dirname, '../../dist/main.js');

const folder = temporaryFolder('embedded-');
let running: EmbeddedDatabase | undefined;

// Also after a failure: one that goes on would keep the tests from ending.
afterEach(async () => {
  await running?.stop();
  running = undefined;
  folder.remove();
});

const socketOf = (url: string): string => join(new URL(url).searchParams.get('host') ?? '', '.s.PGSQL.5432');

/** Red where the database listens on a port: whoever is on the machine is its superuser then. */
it('is reached through a socket of a folder that is closed to others, also after a kill', async () => {
  const dataDir = join(folder.path, 'data');
  // What a process that was killed leaves behind.
  mkdirSync(join(dataDir, 'socket'), { recursive: true, mode: 0o755 });
  writeFileSync(join(dataDir, 'socket', '.s.PGSQL.5432'), '');
  running = await EmbeddedDatabase.start(dataDir);
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

/**
 * Red where the files are made in their place: the process that makes them does not end with the one that began it, and the next
 * start, right after a kill, came to make or use the same.
 */
it('is whole after a start that was killed while its files were made', async () => {
  const dataDir = join(folder.path, 'killed');
  mkdirSync(dataDir, { recursive: true });
  const first = spawn(process.execPath, [SERVER], {
    cwd: folder.path,
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: String(await freePort()) },
    stdio: 'ignore',
  });
  const names = (): string[] => readdirSync(dataDir).filter((name) => name.startsWith('postgres'));
  const makers = await eventually(() => {
    const found = childrenOf(first.pid ?? 0);
    expect(found).toHaveLength(1);
    return found;
  });
  await eventually(
    () => {
      expect(names().filter((name) => existsSync(join(dataDir, name, 'base')))).toHaveLength(1);
    },
    { intervalMs: 2 },
  );
  expect(names()).not.toContain('postgres');
  // As slow as a busy machine makes it: it is at it still when the next start has made files of its own.
  for (const maker of makers) process.kill(maker, 'SIGSTOP');
  try {
    const ended = once(first, 'exit');
    first.kill('SIGKILL');
    await ended;
    running = await EmbeddedDatabase.start(dataDir);
    expect(await queryOnce(running.url, 'SELECT count(*) > 400 AS whole FROM pg_class')).toEqual([
      { whole: true },
    ]);
    for (const maker of makers) process.kill(maker, 'SIGCONT');
    await eventually(() => {
      expect(makers.filter(isRunning)).toEqual([]);
    });
    await running.stop();
    running = await EmbeddedDatabase.start(dataDir);
    // Also what the first one still wrote when it was removed for the first time.
    expect(names()).toEqual(['postgres', 'postgres.lock']);
  } finally {
    for (const maker of makers.filter(isRunning)) process.kill(maker, 'SIGKILL');
  }
}, 180_000);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Processes that a process of this machine has started. */
function childrenOf(pid: number): number[] {
  const answer = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).stdout;
  const lines = answer.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return lines.flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
}
