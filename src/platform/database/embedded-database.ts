import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

import { EmbeddedDatabaseBusyError } from './database-errors.js';
import { initialiseFiles, privateSocket, socketUrl } from './embedded-files.js';

/**
 * PostgreSQL's own copy of its files: WebAssembly has no memory that is only promised, so all of it is taken at the start. The
 * default of 128 MB answers no faster, because the operating system has the files in memory as well.
 */
const SHARED_BUFFERS = '16MB';

/** How often, and how many milliseconds apart, a lock is looked at in which no owner stands. */
const LOCK_LOOKS = 5;
const LOCK_LOOK_MS = 100;

/** Clients that the embedded server accepts at once; they share one session, one transaction at a time. */
const MAX_CONNECTIONS = 20;

/**
 * PostgreSQL compiled to WebAssembly behind a socket, so that the ordinary driver and the same SQL run with nothing
 * installed. It asks for no password, so the socket is one that only the user of this process can reach; Windows, where
 * the driver knows no such sockets, gets a port of the machine itself. The rows survive restarts and kills.
 */
export class EmbeddedDatabase {
  private constructor(
    /** A connection URL for the ordinary PostgreSQL driver. */
    readonly url: string,
    private readonly database: PGlite,
    private readonly server: PGLiteSocketServer,
    private readonly leave: () => Promise<void>,
  ) {}

  /** @throws EmbeddedDatabaseBusyError when another process has the folder open. */
  static async start(dataDir: string): Promise<EmbeddedDatabase> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const lockFile = join(dataDir, 'postgres.lock');
    await takeLock(lockFile, dataDir);
    const leave = (): Promise<void> => rm(lockFile, { force: true });
    try {
      const files = join(dataDir, 'postgres');
      await initialiseFiles(files);
      compileQuickly();
      const startParams = [...PGlite.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`];
      const database = await PGlite.create(files, { startParams });
      return process.platform === 'win32'
        ? await EmbeddedDatabase.onPort(database, leave)
        : await EmbeddedDatabase.onSocket(database, dataDir, leave);
    } catch (cause) {
      await leave();
      throw cause;
    }
  }

  private static async onSocket(
    database: PGlite,
    dataDir: string,
    leave: () => Promise<void>,
  ): Promise<EmbeddedDatabase> {
    const { path, remove } = await privateSocket(dataDir);
    const server = new PGLiteSocketServer({ db: database, path, maxConnections: MAX_CONNECTIONS });
    await server.start();
    return new EmbeddedDatabase(socketUrl(path), database, server, async () => {
      await remove();
      await leave();
    });
  }

  private static async onPort(database: PGlite, leave: () => Promise<void>): Promise<EmbeddedDatabase> {
    const port = await freePort();
    const at = { host: '127.0.0.1', port };
    const server = new PGLiteSocketServer({ db: database, ...at, maxConnections: MAX_CONNECTIONS });
    await server.start();
    return new EmbeddedDatabase(`postgres://postgres@127.0.0.1:${port}/postgres`, database, server, leave);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.database.close();
    await this.leave();
  }
}

/**
 * WebAssembly goes through V8's quick compiler alone from now on. Optimising all of PostgreSQL while it starts takes more of the
 * CPU than the start itself (5.0 instead of 2.3 s) and 50 MiB, and events are delivered no faster for it (7.3 ms of CPU each).
 */
function compileQuickly(): void {
  for (const flag of ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering'])
    setFlagsFromString(flag);
}

async function takeLock(lockFile: string, dataDir: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      await writeFile(lockFile, String(process.pid), { flag: 'wx', mode: 0o600 });
      return;
    } catch (cause) {
      if (codeOf(cause) !== 'EEXIST') throw cause;
      const owner = await ownerOf(lockFile);
      if (owner !== process.pid && isRunning(owner)) throw new EmbeddedDatabaseBusyError(dataDir, owner);
      // Left behind by a process that was killed.
      await rm(lockFile, { force: true });
    }
  }
  throw new Error(`Could not take the lock ${lockFile}; remove it if no other process uses the folder.`);
}

/** @returns 0 where nobody wrote who it is: a process that just took the lock gets a moment to */
async function ownerOf(lockFile: string): Promise<number> {
  for (let look = 0; look < LOCK_LOOKS; look += 1) {
    const owner = Number(await readFile(lockFile, 'utf8').catch(() => ''));
    if (owner > 0) return owner;
    await new Promise((resolve) => setTimeout(resolve, LOCK_LOOK_MS));
  }
  return 0;
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) === 'EPERM';
  }
}

function codeOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('No free port on 127.0.0.1 for the embedded database'));
      });
    });
  });
}
