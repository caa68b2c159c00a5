import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

/** Clients that the embedded server accepts at once; they share one session, one transaction at a time. */
const MAX_CONNECTIONS = 20;

/** The data directory is in use by another process, which would corrupt it. */
export class EmbeddedDatabaseBusyError extends Error {
  constructor(dataDir: string, pid: number) {
    super(
      `The embedded database in ${dataDir} is in use by process ${pid}. Stop that one first, or set DATABASE_URL to a PostgreSQL server.`,
    );
    this.name = 'EmbeddedDatabaseBusyError';
  }
}

/**
 * PostgreSQL compiled to WebAssembly, served on a loopback port, so that the ordinary driver and the same SQL run with
 * nothing installed. Its rows live in a folder and survive restarts and kills.
 */
export class EmbeddedDatabase {
  private constructor(
    /** A connection URL for the ordinary PostgreSQL driver. */
    readonly url: string,
    private readonly database: PGlite,
    private readonly server: PGLiteSocketServer,
    private readonly lockFile: string,
  ) {}

  /** @throws EmbeddedDatabaseBusyError when another process has the folder open. */
  static async start(dataDir: string): Promise<EmbeddedDatabase> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const lockFile = join(dataDir, 'postgres.lock');
    await takeLock(lockFile, dataDir);
    try {
      const database = await PGlite.create(join(dataDir, 'postgres'));
      const port = await freePort();
      const server = new PGLiteSocketServer({
        db: database,
        host: '127.0.0.1',
        port,
        maxConnections: MAX_CONNECTIONS,
      });
      await server.start();
      return new EmbeddedDatabase(
        `postgres://postgres@127.0.0.1:${port}/postgres`,
        database,
        server,
        lockFile,
      );
    } catch (cause) {
      await rm(lockFile, { force: true });
      throw cause;
    }
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.database.close();
    await rm(this.lockFile, { force: true });
  }
}

async function takeLock(lockFile: string, dataDir: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const handle = await open(lockFile, 'wx', 0o600);
      await handle.writeFile(String(process.pid));
      await handle.close();
      return;
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
      const owner = Number(await readFile(lockFile, 'utf8').catch(() => ''));
      if (owner !== process.pid && isRunning(owner)) throw new EmbeddedDatabaseBusyError(dataDir, owner);
      // Left behind by a process that was killed.
      await rm(lockFile, { force: true });
    }
  }
  throw new Error(`Could not take the lock ${lockFile}; remove it if no other process uses the folder.`);
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
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
