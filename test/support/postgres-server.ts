import { execFile } from 'node:child_process';
import { appendFileSync, chownSync, cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { ChildServer } from './child-server.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { LifetimeGuard } from './lifetime-guard.js';
import {
  findBundledPostgres,
  findInstalledPostgres,
  reachableBy,
  unprivilegedUser,
  type SystemUser,
} from './postgres-binaries.js';
import { PreparedCluster } from './prepared-clusters.js';

const run = promisify(execFile);

/**
 * Committed rows survive the death of every process with `fsync` off, only not that of the machine: enough for tests,
 * and much faster. `synchronous_commit` stays on, because without it a killed server forgets commits that it had answered.
 */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Four workers, an API and the test itself, each with a pool.
  max_connections: '200',
  shared_buffers: '64MB',
  timezone: 'UTC',
};

/** What is done to a new server before it is handed out, by a name that tells it from other such work. */
export interface Preparation {
  readonly name: string;
  readonly prepare: (server: PostgresServer) => Promise<unknown>;
}

/** Runs one statement over a connection of its own. */
export async function queryOnce<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined); // a cut connection makes the query itself reject
  try {
    await client.connect();
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * A private PostgreSQL in a temporary directory, for tests that stop, kill or reconfigure it. Committed rows survive
 * `stop`, `kill` and `restart`; `dispose` removes them.
 *
 * @example const postgres = await startPostgres(); … await postgres.dispose();
 */
export class PostgresServer {
  private current: ChildServer | undefined;
  private launchedAtMs = 0;

  private constructor(
    readonly port: number,
    private readonly binFolder: string,
    private readonly directory: string,
    private readonly user: SystemUser | undefined,
    private readonly guard: LifetimeGuard,
  ) {}

  /**
   * @internal use {@link startPostgres}
   * @param fill makes the data
   */
  static async create(
    binFolder: string,
    port: number,
    fill: (server: PostgresServer) => Promise<void>,
  ): Promise<PostgresServer> {
    const user = unprivilegedUser();
    // A TMPDIR inside a 0700 home is closed to another user; /tmp is open to all.
    const directory = mkdtempSync(join(user ? '/tmp' : tmpdir(), 'webhooks-postgres-'));
    const guard = new LifetimeGuard(directory, 'QUIT');
    try {
      if (user) chownSync(directory, user.uid, user.gid);
      const server = new PostgresServer(
        port,
        reachableBy(user, binFolder, directory),
        directory,
        user,
        guard,
      );
      await fill(server);
      await server.launch();
      return server;
    } catch (error) {
      guard.release();
      throw error;
    }
  }

  /** As the superuser `postgres`, to the database `postgres`. */
  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** @throws Error when it is stopped. */
  get pid(): number {
    if (!this.current?.running) throw new Error(`The private PostgreSQL on port ${this.port} is not running`);
    return this.current.pid;
  }

  /** Orderly: cuts the connections, writes a checkpoint (PostgreSQL's "fast" shutdown). */
  async stop(): Promise<void> {
    await this.current?.end('SIGINT');
  }

  /**
   * A crash: every process of the server ends at once, without a checkpoint, and the next start recovers (PostgreSQL's
   * "immediate" shutdown). SIGKILL would end the postmaster alone and leave its sessions to go on for a while.
   */
  async kill(): Promise<void> {
    await this.current?.end('SIGQUIT');
  }

  /** Stops it when it runs, then starts it on the same port with the same data. */
  async restart(): Promise<void> {
    await this.stop();
    await this.launch();
  }

  /**
   * A hot standby that streams from this server, which is stopped for a moment to be copied, and then confirms no commit
   * that the standby does not have, except those that ask for less (`synchronous_commit`).
   */
  async startStandby(): Promise<PostgresServer> {
    await this.stop();
    const standby = await PostgresServer.create(this.binFolder, await freePort(), async (copy) => {
      cpSync(this.dataDirectory, copy.dataDirectory, { recursive: true });
      writeFileSync(join(copy.dataDirectory, 'standby.signal'), '');
      appendFileSync(
        join(copy.dataDirectory, 'postgresql.auto.conf'),
        `primary_conninfo = 'host=127.0.0.1 port=${this.port} user=postgres application_name=standby'\n`,
      );
      if (copy.user) await run('chown', ['-R', `${copy.user.uid}:${copy.user.gid}`, copy.dataDirectory]);
      // It waits for its primary, and would wait here for ever.
      await this.launch();
    });
    await queryOnce(this.url, `ALTER SYSTEM SET synchronous_standby_names = 'standby'`);
    await queryOnce(this.url, 'SELECT pg_reload_conf()');
    await eventually(
      async () => {
        const [state] = await queryOnce<{ sync_state: string }>(
          this.url,
          'SELECT sync_state FROM pg_stat_replication',
        );
        if (state?.sync_state !== 'sync') throw new Error(`The standby is ${state?.sync_state ?? 'away'}`);
      },
      { timeoutMs: 60_000 },
    );
    return standby;
  }

  /** Makes a standby the primary, for good. */
  async promote(): Promise<void> {
    await queryOnce(this.url, 'SELECT pg_promote()');
  }

  /** The process of a standby that takes what its primary sends. @throws Error when there is none */
  async receiverPid(): Promise<number> {
    const [receiver] = await queryOnce<{ pid: number }>(this.url, 'SELECT pid FROM pg_stat_wal_receiver');
    if (receiver === undefined) throw new Error('The standby does not receive');
    return receiver.pid;
  }

  /** @throws Error when the server that answers on the port is not the process started here. Call before any fault. */
  async assertIsMine(): Promise<void> {
    const sql = `SELECT current_setting('data_directory') AS directory, pg_postmaster_start_time() AS started`;
    const answering = (await queryOnce<{ directory: string; started: Date }>(this.url, sql))[0];
    const [pid] = readFileSync(join(this.dataDirectory, 'postmaster.pid'), 'utf8').split('\n', 1);
    const mine =
      answering?.directory === this.dataDirectory &&
      answering.started.getTime() >= this.launchedAtMs &&
      pid === String(this.pid);
    if (!mine) {
      const other = `${answering?.directory}, process ${pid}`;
      throw new Error(`PostgreSQL on port ${this.port} (${other}) is not process ${this.pid} started here`);
    }
  }

  /** Stops it and removes its directory; what every suite calls in the end (the end of the process does so as well). */
  async dispose(): Promise<void> {
    await this.stop();
    this.guard.release();
  }

  private get dataDirectory(): string {
    return join(this.directory, 'data');
  }

  private get runAs(): { uid?: number; gid?: number } {
    return this.user ? { uid: this.user.uid, gid: this.user.gid } : {};
  }

  /** @internal @param executables the folder that was asked for: {@link reachableBy} may have copied it */
  async fill(executables: string, preparation?: Preparation): Promise<void> {
    const prepared = preparation && PreparedCluster.of([executables, preparation.name], this.user);
    if (await prepared?.copyTo(this.dataDirectory)) return;
    const empty = PreparedCluster.of([executables], this.user);
    if (!(await empty?.copyTo(this.dataDirectory))) {
      await this.initialise();
      await empty?.keep(this.dataDirectory);
    }
    if (preparation === undefined) return;
    await this.launch();
    await preparation.prepare(this);
    await this.stop();
    await prepared?.keep(this.dataDirectory);
  }

  private async initialise(): Promise<void> {
    const options = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    await run(join(this.binFolder, 'initdb'), ['-D', this.dataDirectory, ...options], {
      cwd: this.directory,
      env: this.serverEnvironment,
      ...this.runAs,
    });
  }

  private async launch(): Promise<void> {
    const settings = Object.entries({ ...SETTINGS, port: this.port }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    // After a crash the old run's shared memory may be held for a moment by a session on its way out.
    this.current = await eventually(
      () => {
        this.launchedAtMs = Date.now();
        return ChildServer.start({
          name: 'PostgreSQL',
          command: join(this.binFolder, 'postgres'),
          args: ['-D', this.dataDirectory, ...settings],
          directory: this.directory,
          guard: this.guard,
          env: this.serverEnvironment,
          startTimeoutMs: 90_000,
          probe: () => queryOnce(this.url, 'SELECT 1'),
          ...this.runAs,
        });
      },
      { timeoutMs: 60_000, intervalMs: 250 },
    );
    await this.assertIsMine();
  }

  /** Nothing of the caller's: PGDATA, PGPORT and the like would redirect the server. */
  private get serverEnvironment(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', HOME: this.directory };
  }
}

/** The folder of a PostgreSQL that can be started here: the machine's own, else the one of the npm package. */
export function findPostgresBinaries(): string | undefined {
  return findInstalledPostgres() ?? findBundledPostgres();
}

/**
 * Starts a private PostgreSQL on a free port of 127.0.0.1.
 *
 * @param options.binaries the folder of the executables; default: {@link findPostgresBinaries}
 * @param options.preparation what is done to it first, once in a run for all that ask for the same
 * @throws Error when no executables are found, or it does not start.
 */
export async function startPostgres(
  options: { readonly port?: number; readonly binaries?: string; readonly preparation?: Preparation } = {},
): Promise<PostgresServer> {
  const folder = options.binaries ?? findPostgresBinaries();
  if (!folder)
    throw new Error('No PostgreSQL to start: install postgresql, or `npm ci` with optional packages');
  return PostgresServer.create(folder, options.port ?? (await freePort()), (server) =>
    server.fill(folder, options.preparation),
  );
}
