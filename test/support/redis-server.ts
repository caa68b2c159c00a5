import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ChildServer } from './child-server.js';
import { findOnPath } from './executables.js';
import { freePort } from './free-port.js';
import { LifetimeGuard } from './lifetime-guard.js';

/** Valkey speaks the same protocol, and some distributions ship it instead. */
const BINARIES = ['redis-server', 'valkey-server'];

/** The Redis executable on PATH, or undefined. */
export function findRedisBinary(): string | undefined {
  return findOnPath(BINARIES);
}

/** Sends one INFO; undefined when nobody answers, or asks for a password. */
export async function redisInfo(url: string): Promise<Map<string, string> | undefined> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 1_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  client.on('error', () => undefined); // `connect` rejects with the same error
  try {
    await client.connect();
    const text = await client.info('server');
    return new Map(
      text.split('\r\n').flatMap((line): [string, string][] => {
        const colon = line.indexOf(':');
        return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
      }),
    );
  } catch {
    return undefined;
  } finally {
    // On a connection that was refused, `disconnect` would leave a timer of two seconds behind.
    if (client.status !== 'end') client.disconnect();
  }
}

/**
 * A private Redis, for tests that flush, stop or kill it. It keeps nothing on disk: after a restart it is empty.
 *
 * @example const redis = await startRedis(); … await redis.dispose();
 */
export class RedisServer {
  private current: ChildServer | undefined;

  private constructor(
    readonly port: number,
    private readonly binary: string,
    private readonly directory: string,
    private readonly guard: LifetimeGuard,
  ) {}

  /** @internal use {@link startRedis} */
  static async create(binary: string, port: number): Promise<RedisServer> {
    const directory = mkdtempSync(join(tmpdir(), 'webhooks-redis-'));
    const server = new RedisServer(port, binary, directory, new LifetimeGuard(directory, 'KILL'));
    try {
      await server.launch();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** @throws Error when it is stopped. */
  get pid(): number {
    if (!this.current?.running) throw new Error(`The private Redis on port ${this.port} is not running`);
    return this.current.pid;
  }

  async stop(): Promise<void> {
    await this.current?.end('SIGTERM');
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.current?.end('SIGKILL');
  }

  /** Stops it when it runs, then starts an empty one on the same port. */
  async restart(): Promise<void> {
    await this.stop();
    await this.launch();
  }

  /** @throws Error when the server that answers on the port is not the process started here. Call before FLUSHALL. */
  async assertIsMine(): Promise<void> {
    const answering = (await redisInfo(this.url))?.get('process_id');
    if (answering !== String(this.pid)) {
      throw new Error(
        `Redis on port ${this.port} is process ${answering ?? 'unknown'}, not ${this.pid} started here`,
      );
    }
  }

  /** Stops it and removes its directory; what every suite calls in the end (the end of the process does so as well). */
  async dispose(): Promise<void> {
    await this.stop();
    this.guard.release();
  }

  private async launch(): Promise<void> {
    const persistence = ['--save', '', '--appendonly', 'no'];
    this.current = await ChildServer.start({
      name: 'Redis',
      command: this.binary,
      args: ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.directory, ...persistence],
      directory: this.directory,
      guard: this.guard,
      startTimeoutMs: 90_000,
      probe: async () => {
        if (!(await redisInfo(this.url))) throw new Error('no answer to INFO');
      },
    });
    await this.assertIsMine();
  }
}

/**
 * Starts a private Redis on a free port of 127.0.0.1, or on `port`.
 *
 * @throws Error when no Redis executable is on PATH, or it does not start.
 */
export async function startRedis(options: { readonly port?: number } = {}): Promise<RedisServer> {
  const binary = findRedisBinary();
  if (!binary) throw new Error(`No Redis executable on PATH (${BINARIES.join(', ')}): install redis-server`);
  return RedisServer.create(binary, options.port ?? (await freePort()));
}
