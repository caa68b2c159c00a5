import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import pg from 'pg';

import { startPostgres, type PostgresServer } from '../test/support/postgres-server.js';
import { startRedis, type RedisServer } from '../test/support/redis-server.js';
import { Child } from './child.js';
import { processorSeconds } from './processor.js';
import type { Usage } from './usage.js';
import { WorkerProcess } from './worker-process.js';

export const JWT_SECRET = 'bench-secret-of-thirty-two-characters';

/** Tenants that the lanes are dealt out to: a tenant's share of the slots must not be what is measured. */
const TENANTS = 20;

export interface BenchLane {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly event: string;
}

/** What of the compiled service is driven from here (service.mjs). */
export interface Service {
  close(): Promise<void>;
  createSubscription(command: object): Promise<{ subscription: { id: string } }>;
  emit(manager: unknown, event: object): Promise<unknown>;
  ring(lanes: readonly BenchLane[]): void;
  transaction<T>(
    work: (manager: { query(sql: string, values?: unknown[]): Promise<unknown> }) => Promise<T>,
  ): Promise<T>;
}

/** Private servers, a receiver, and the service without delivery (`WEBHOOK_ROLE=api`) in this process. */
export class BenchLab {
  private readonly started: WorkerProcess[] = [];

  private constructor(
    readonly postgres: PostgresServer,
    readonly redis: RedisServer,
    readonly receiver: Child,
    readonly receiverUrl: string,
    readonly pool: pg.Pool,
    readonly env: Readonly<Record<string, string>>,
    readonly service: Service,
  ) {}

  static async start(): Promise<BenchLab> {
    const postgres = await startPostgres();
    const redis = await startRedis();
    const [receiver, { port }] = await Child.start('receiver.mjs');
    const pool = new pg.Pool({ connectionString: postgres.url, max: 10 });
    pool.on('error', () => undefined); // the server ends before its last idle connections
    const env = {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      JWT_SECRET,
      WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
      WEBHOOK_API_RATE_LIMIT_PER_MINUTE: '0',
      WEBHOOK_MAX_SUBSCRIPTIONS_PER_TENANT: '0',
      LOG_FORMAT: 'json',
    };
    const service = await startService({ ...env, WEBHOOK_ROLE: 'api', LOG_LEVEL: 'warn' });
    return new BenchLab(postgres, redis, receiver, `http://127.0.0.1:${String(port)}`, pool, env, service);
  }

  async startWorker(env: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start({ ...this.env, WEBHOOK_ROLE: 'worker', ...env });
    this.started.push(worker);
    return worker;
  }

  /** Processor time until now: of the service's processes, the servers, the receiver, and whoever emits and asks here. */
  usage(): Usage {
    const { user, system } = process.cpuUsage();
    return {
      atMs: performance.now(),
      seconds: {
        service: this.started.reduce((sum, { usedSeconds }) => sum + usedSeconds, 0),
        postgres: processorSeconds(this.postgres.pid, true),
        redis: processorSeconds(this.redis.pid),
        receiver: processorSeconds(this.receiver.pid),
        bench: (user + system) / 1e6,
      },
    };
  }

  /** Bytes that PostgreSQL has written ahead until now. */
  async walBytes(): Promise<number> {
    const { rows } = await this.pool.query<{ bytes: string }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes`,
    );
    return Number(rows[0]?.bytes);
  }

  /** Subscriptions with an event of their own each. */
  async subscribe(
    count: number,
    path: string,
    prefix: string,
    tenantOf = (index: number): string => `bench_${index % TENANTS}`,
    settings?: object,
  ): Promise<BenchLane[]> {
    const lanes: BenchLane[] = [];
    const one = async (index: number): Promise<void> => {
      const tenant = tenantOf(index);
      const event = `${prefix}.e${index}`;
      const { subscription } = await this.service.createSubscription({
        tenantId: tenant,
        actor: { subject: 'bench', requestId: null },
        event,
        url: `${this.receiverUrl}/${path}/${prefix}/${index}`,
        secret: 'a-secret-of-some-length',
        settings,
      });
      lanes[index] = { tenantId: tenant, subscriptionId: subscription.id, event };
    };
    for (let from = 0; from < count; from += 20) {
      const batch = Math.min(20, count - from);
      await Promise.all(Array.from({ length: batch }, (_, n) => one(from + n)));
    }
    return lanes;
  }

  /** Stores a backlog as emits would have, and nothing is rung. */
  async backlog(lanes: readonly BenchLane[], count: number, body: string): Promise<void> {
    await this.pool.query(
      `WITH lane AS (
         SELECT tenant, sub, event, row_number() OVER () - 1 AS n
           FROM unnest($1::text[], $2::uuid[], $3::text[]) AS l (tenant, sub, event)
       ), made AS (
         SELECT l.*, webhook_uuid_v7() AS event_id, webhook_uuid_v7() AS id
           FROM generate_series(0, $4::int - 1) g JOIN lane l ON l.n = g % $5::int
       ), events AS (
         INSERT INTO webhook_events (tenant_id, id, event, payload) SELECT tenant, event_id, event, $6::json FROM made
       )
       INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url)
       SELECT tenant, id, event_id, sub, event, '' FROM made`,
      [
        lanes.map((lane) => lane.tenantId),
        lanes.map((lane) => lane.subscriptionId),
        lanes.map((lane) => lane.event),
        count,
        lanes.length,
        body,
      ],
    );
  }

  /** Empties what deliveries leave behind; subscriptions stay. */
  async clear(): Promise<void> {
    await this.pool.query(
      'TRUNCATE webhook_attempts, webhook_deliveries, webhook_events, webhook_stats, webhook_stats_new CASCADE',
    );
  }

  /**
   * @param lanes those that are looked at; all, when left out
   * @throws Error unless each of `count` deliveries was made once: a figure of lost or doubled ones is worth nothing
   */
  async requireEachOnce(count: number, lanes?: readonly BenchLane[]): Promise<void> {
    const until = Date.now() + 15_000;
    for (;;) {
      const { rows } = await this.pool.query<{ done: number; attempts: number }>(
        `SELECT count(*) FILTER (WHERE status = 'DELIVERED')::int AS done, coalesce(sum(attempts), 0)::int AS attempts
           FROM webhook_deliveries
          WHERE target_url <> 'stored' AND ($1::uuid[] IS NULL OR subscription_id = ANY ($1))`,
        [lanes?.map(({ subscriptionId }) => subscriptionId) ?? null],
      );
      const found = rows[0];
      if (found?.done === count && found.attempts === count) return;
      if (Date.now() > until) {
        const { rows: errors } = await this.pool.query(
          'SELECT error, count(*)::int AS count FROM webhook_attempts WHERE error IS NOT NULL GROUP BY error',
        );
        throw new Error(
          `expected ${count} deliveries, each once; found ${JSON.stringify(found)}, with ${JSON.stringify(errors)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** How the receiver answers `/moody…` from now on. */
  async mood(mood: 'hang' | 'drip' | 'fail'): Promise<void> {
    this.receiver.send({ mood });
    await this.receiver.next(5_000);
  }

  /** The receiver counts anew, up to `wanted`. */
  async expect(wanted: number): Promise<void> {
    this.receiver.send({ wanted });
    await this.receiver.next(5_000);
  }

  /** What the receiver says when all have come. */
  async received(timeoutMs: number): Promise<{ seconds: number; count: number; latencies: number[] }> {
    return (await this.receiver.next(timeoutMs)) as unknown as {
      seconds: number;
      count: number;
      latencies: number[];
    };
  }

  async dispose(): Promise<void> {
    // Those that a failure left behind.
    for (const worker of this.started) await worker.kill();
    await this.service.close();
    await this.pool.end();
    this.receiver.stop();
    await Promise.all([this.postgres.dispose(), this.redis.dispose()]);
  }
}

/** By its address, because what it imports is compiled, and may not be there when types are checked. */
export async function startService(env: Readonly<Record<string, string>>): Promise<Service> {
  const address = pathToFileURL(join(import.meta.dirname, 'service.mjs')).href;
  const { startService: start } = (await import(address)) as {
    startService: (env: Readonly<Record<string, string>>) => Promise<Service>;
  };
  return start(env);
}
