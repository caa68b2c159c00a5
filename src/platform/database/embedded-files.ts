import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** PostgreSQL's clients make a socket's name of a folder and a port; nothing listens on the port itself. */
const SOCKET_NAME = '.s.PGSQL.5432';

/** Bytes of a socket's path that every system takes (104 on macOS, 108 on Linux, with the zero at the end). */
const MAX_SOCKET_PATH_BYTES = 103;

/** Milliseconds that the files of a new database may take to be made. */
const INITIALISE_TIMEOUT_MS = 300_000;

const INITIALISE = `
const { PGlite } = require(process.argv[1]);
PGlite.create(process.argv[2]).then((database) => database.close()).then(() => process.exit(0), (cause) => {
  console.error(cause instanceof Error ? cause.message : String(cause));
  process.exit(1);
});`;

/**
 * Makes the files of a new database, in a process of its own: it takes hundreds of megabytes that WebAssembly never gives
 * back, and with V8's quick compiler alone, which takes 5.6 instead of 8.4 s of CPU. Does nothing where there are files.
 */
export async function initialiseFiles(folder: string): Promise<void> {
  if (existsSync(join(folder, 'PG_VERSION'))) return;
  const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  await promisify(execFile)(process.execPath, ['--liftoff-only', '-e', INITIALISE, pglite, folder], {
    timeout: INITIALISE_TIMEOUT_MS,
    // Options of this process (a debugger, a loader of tests) are not for that one.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

/** Where a socket lies that nobody but this user of the machine may enter. */
export interface SocketPlace {
  readonly path: string;
  /** Removes what was made for it. */
  readonly remove: () => Promise<void>;
}

/** In the data folder; where its name is too long for a socket, in a new folder of the system's temporary one. */
export async function privateSocket(dataDir: string): Promise<SocketPlace> {
  const inData = join(dataDir, 'socket', SOCKET_NAME);
  const isShort = Buffer.byteLength(inData) <= MAX_SOCKET_PATH_BYTES;
  const path = isShort ? inData : join(await mkdtemp(join(tmpdir(), 'webhooks-')), SOCKET_NAME);
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The folder may be there from another time; whether a socket's own mode counts depends on the system.
  await chmod(folder, 0o700);
  // A process that was killed leaves it, and nobody could listen there. The folder's lock says that nobody does.
  await rm(path, { force: true });
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The address of a socket for the ordinary driver: the folder stands in `host`, as in libpq. */
export function socketUrl(path: string): string {
  return `postgres://postgres@localhost/postgres?host=${encodeURIComponent(dirname(path))}`;
}
