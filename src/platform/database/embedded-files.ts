import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** PostgreSQL's clients make a socket's name of a folder and a port; nothing listens on the port itself. */
const SOCKET_NAME = '.s.PGSQL.5432';

/** Bytes of a socket's path that every system takes (104 on macOS, 108 on Linux, with the zero at the end). */
const MAX_SOCKET_PATH_BYTES = 103;

/** Follows the name of the files while they are made. */
const UNFINISHED = '.unfinished-';

/** Whoever made them may not have noticed yet that it is to end; each waits 100 ms longer than the one before. */
const REMOVAL_RETRIES = 10;

/** Milliseconds that the files of a new database may take to be made. */
const INITIALISE_TIMEOUT_MS = 300_000;

/** Ends with the process that waits for it, because its input ends then. */
const INITIALISE = `
process.stdin.on('end', () => process.exit(1)).resume();
const { PGlite } = require(process.argv[1]);
PGlite.create(process.argv[2]).then((database) => database.close()).then(() => process.exit(0), (cause) => {
  console.error(cause instanceof Error ? cause.message : String(cause));
  process.exit(1);
});`;

/**
 * Makes the files of a new database, in a process of its own: it takes hundreds of megabytes that WebAssembly never gives
 * back, and with V8's quick compiler alone, which takes 5.6 instead of 8.4 s of CPU. Does nothing where there are files.
 *
 * They are made under another name and get theirs when they are whole. Whoever is killed meanwhile leaves no half a database,
 * and none that the process it started still writes to.
 *
 * @param folder of which nobody else makes the files now
 */
export async function initialiseFiles(folder: string): Promise<void> {
  await removeUnfinished(folder);
  if (existsSync(join(folder, 'PG_VERSION'))) return;
  const unfinished = await mkdtemp(`${folder}${UNFINISHED}`);
  const pglite = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  await promisify(execFile)(process.execPath, ['--liftoff-only', '-e', INITIALISE, pglite, unfinished], {
    timeout: INITIALISE_TIMEOUT_MS,
    // Options of this process (a debugger, a loader of tests) are not for that one.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  await rename(unfinished, folder).catch((cause: unknown) => {
    // What is there may be somebody's: it is not for us to remove.
    throw new Error(`${folder} has files, but no database: move them away, and start again`, { cause });
  });
}

async function removeUnfinished(folder: string): Promise<void> {
  const start = `${basename(folder)}${UNFINISHED}`;
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(start)) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true, maxRetries: REMOVAL_RETRIES });
  }
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
