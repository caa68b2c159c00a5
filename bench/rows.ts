import { request } from 'undici';
import { SignJWT } from 'jose';

import { startServer } from '../test/support/server-process.js';
import { JWT_SECRET, type BenchLab, type BenchLane } from './bench-lab.js';
import { Child } from './child.js';
import { processorSeconds, residentMib } from './processor.js';
import { percentile } from './statistics.js';
import type { WorkerProcess } from './worker-process.js';

/** The body of every delivery: of the size of a small invoice. */
export const BODY = JSON.stringify({
  event: 'invoice.created',
  resource_type: 'invoice',
  resource_id: '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50',
  timestamp: '2026-11-24T09:00:00.000Z',
  data: {
    number: 'F-2026-0042',
    customer: 'Panadería Sol',
    total_cents: 12_100,
    currency: 'EUR',
    status: 'draft',
  },
  metadata: { tenant_id: 'acme', source: 'gestiqcloud', version: '1.0' },
});

const PATIENCE_MS = 240_000;

/** Emitting transactions at a time; an ERP would have no more connections. */
const MAX_OPEN_TRANSACTIONS = 50;

/** Requests a second of the bare loop. */
export async function rawRate(lab: BenchLab, count: number): Promise<number> {
  const [sender] = await Child.start('raw-sender.mjs');
  await lab.expect(count);
  sender.send({ url: `${lab.receiverUrl}/ok/raw`, count, body: BODY, concurrency: 64 });
  const { seconds } = await lab.received(PATIENCE_MS);
  await sender.next(10_000);
  sender.stop();
  return count / seconds;
}

export interface Drained {
  readonly perSecond: number;
  /** Shares of the processor time that the drain used, by process. */
  readonly shares: Readonly<Record<string, number>>;
  /** Microseconds of processor time for each delivery, by process. */
  readonly costUs: Readonly<Record<string, number>>;
  /** MiB of the first worker: half-way through, and at most. */
  readonly memoryMib: readonly [number, number];
}

/** What waits, or is sent, beside the lanes whose drain is measured. */
export interface Beside {
  readonly lanes: readonly BenchLane[];
  /** After the backlog that is measured. */
  store(): Promise<void>;
}

/** Stores a backlog, rings its lanes as their emits would have, and drains it through the real path. */
export async function drain(
  lab: BenchLab,
  lanes: readonly BenchLane[],
  count: number,
  workers = 1,
  clear = true,
  beside?: Beside,
): Promise<Drained> {
  if (clear) await lab.clear();
  const started: WorkerProcess[] = [];
  for (let n = 0; n < workers; n += 1) started.push(await lab.startWorker());
  const pids = {
    worker: started.map(({ pid }) => pid),
    postgres: [lab.postgres.pid],
    redis: [lab.redis.pid],
    receiver: [lab.receiver.pid],
  };
  const used = (): Record<string, number> =>
    Object.fromEntries(
      Object.entries(pids).map(([name, list]) => [
        name,
        list.reduce((sum, pid) => sum + processorSeconds(pid, name === 'postgres'), 0),
      ]),
    );
  await lab.expect(count);
  await lab.backlog(lanes, count, BODY);
  await beside?.store();
  const before = used();
  lab.service.ring([...lanes, ...(beside?.lanes ?? [])]);
  const memory: number[] = [];
  const sampling = setInterval(() => memory.push(residentMib(started[0]?.pid ?? 0)), 500);
  const { seconds } = await lab.received(PATIENCE_MS);
  clearInterval(sampling);
  await lab.requireEachOnce(count, beside === undefined ? undefined : lanes);
  const after = used();
  for (const worker of started) await worker.stop();
  const costs = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  const total = costs.reduce((sum, [, cost]) => sum + cost, 0);
  return {
    perSecond: count / seconds,
    shares: Object.fromEntries(costs.map(([name, cost]) => [name, cost / total])),
    costUs: Object.fromEntries(costs.map(([name, cost]) => [name, (cost / count) * 1e6])),
    memoryMib: [memory[Math.floor(memory.length / 2)] ?? 0, Math.max(...memory, 0)],
  };
}

/** Milliseconds that `emit` adds to a transaction of one INSERT: the same transaction with and without it, in turns. */
export async function emitCost(
  lab: BenchLab,
  lane: BenchLane,
  fanOut: BenchLane,
  count: number,
): Promise<{ p50: number; p99: number; fanOutP50: number }> {
  await lab.pool.query('CREATE TABLE IF NOT EXISTS bench_rows (id bigserial PRIMARY KEY, body text)');
  const time = async (target: BenchLane | null): Promise<number> => {
    const startedAtMs = performance.now();
    await lab.service.transaction(async (manager) => {
      await manager.query('INSERT INTO bench_rows (body) VALUES ($1)', ['row']);
      if (target !== null) {
        const { tenantId, event } = target;
        await lab.service.emit(manager, { tenantId, event, payload: { n: 1 } });
      }
    });
    return performance.now() - startedAtMs;
  };
  const without: number[] = [];
  const added: number[] = [];
  const fanned: number[] = [];
  for (let n = 0; n < count + 100; n += 1) {
    const bare = await time(null);
    const emitting = await time(lane);
    if (n < 100) continue;
    without.push(bare);
    added.push(emitting);
    if (n % 10 === 0) fanned.push(await time(fanOut));
  }
  const base = percentile(without, 0.5);
  return {
    p50: percentile(added, 0.5) - base,
    // Above the usual, not above the slowest without: the difference of two tails says nothing.
    p99: percentile(added, 0.99) - base,
    fanOutP50: percentile(fanned, 0.5) - base,
  };
}

/** Requests a second to POST /deliveries of an API beside a worker, and to the bare route, with the same body. */
export async function apiRates(lab: BenchLab, seconds: number): Promise<{ api: number; bare: number }> {
  const tenantId = 'bench_api';
  await lab.subscribe(1, 'ok', 'api', tenantId);
  const server = await startServer({ env: { ...lab.env, WEBHOOK_ROLE: 'api', LOG_LEVEL: 'info' } });
  const [bareServer, { port }] = await Child.start('bare-api.mjs', { DATABASE_URL: lab.postgres.url });
  const token = await new SignJWT({ tenant_id: tenantId, scope: 'webhooks:write' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('bench')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(JWT_SECRET));
  const body = `{"event":"api.e0","payload":${BODY}}`;
  const rate = async (url: string): Promise<number> => {
    const endAtMs = performance.now() + seconds * 1_000;
    let done = 0;
    const loop = async (): Promise<void> => {
      while (performance.now() < endAtMs) {
        const answer = await request(url, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body,
        });
        await answer.body.dump();
        if (answer.statusCode !== 202) throw new Error(`${url} answered ${answer.statusCode}`);
        done += 1;
      }
    };
    await Promise.all(Array.from({ length: 32 }, loop));
    return done / seconds;
  };
  try {
    const bareUrl = `http://127.0.0.1:${String(port)}/bare`;
    await rate(bareUrl);
    const bare = await rate(bareUrl);
    const apiUrl = `${server.url}/api/v1/tenant/webhooks/deliveries`;
    await rate(apiUrl);
    return { bare, api: await rate(apiUrl) };
  } finally {
    bareServer.stop();
    await server.stop();
  }
}

/** Milliseconds from emit to arrival, at a steady rate, each event in a transaction of its own. */
export async function latency(
  lab: BenchLab,
  lanes: readonly BenchLane[],
  perSecond: number,
  seconds: number,
): Promise<{ p50: number; p99: number }> {
  const worker = await lab.startWorker();
  try {
    await measured(lab, lanes, perSecond, 1);
    const latencies = await measured(lab, lanes, perSecond, seconds);
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  } finally {
    await worker.stop();
  }
}

/** 10,000 deliveries to endpoints that hang, then another tenant's events, one each 50 ms. */
export async function fairness(lab: BenchLab, deliveries: number): Promise<{ p50: number; p99: number }> {
  await lab.clear();
  const hanging = (await lab.subscribe(300, 'hang', 'hanging')).map((lane, n) => ({ ...lane, n }));
  await lab.backlog(hanging, deliveries, BODY);
  const healthy = await lab.subscribe(1, 'ok', 'healthy', 'bench_healthy');
  const worker = await lab.startWorker();
  try {
    lab.service.ring(hanging);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const latencies = await measured(lab, healthy, 20, 10);
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  } finally {
    await worker.stop();
    await lab.clear();
  }
}

async function measured(
  lab: BenchLab,
  lanes: readonly BenchLane[],
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  const count = perSecond * seconds;
  await lab.expect(count);
  const startedAtMs = performance.now();
  const open = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (let n = 0; n < count; n += 1) {
    const plannedAtMs = startedAtMs + (n * 1_000) / perSecond;
    const waitMs = plannedAtMs - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    // A machine that cannot keep the rate falls short; unbounded, it would run out of connections and fail instead.
    if (open.size >= MAX_OPEN_TRANSACTIONS) await Promise.race(open);
    const lane = lanes[n % lanes.length];
    if (lane === undefined) throw new Error('no lanes');
    const { tenantId, event } = lane;
    // From when it was planned: what waits for its turn here has waited, too.
    const sentAtMs = performance.timeOrigin + Math.min(plannedAtMs, performance.now());
    const emit: Promise<void> = lab.service
      .transaction((manager) => lab.service.emit(manager, { tenantId, event, payload: { n, sentAtMs } }))
      .then(
        () => undefined,
        (cause: unknown) => void failures.push(cause),
      )
      .finally(() => open.delete(emit));
    open.add(emit);
  }
  await Promise.all(open);
  if (failures.length > 0) throw new Error(`${failures.length} emits failed`, { cause: failures[0] });
  return (await lab.received(60_000)).latencies;
}

/** Stores finished deliveries of one tenant, as many as a year would leave. */
export async function storeFinished(lab: BenchLab, lane: BenchLane, count: number): Promise<void> {
  for (let done = 0; done < count; done += 500_000) {
    await lab.pool.query(
      `WITH made AS (SELECT webhook_uuid_v7() AS event_id, webhook_uuid_v7() AS id FROM generate_series(1, $4::int)),
            events AS (INSERT INTO webhook_events (tenant_id, id, event, payload) SELECT $1, event_id, $3, '{"n":1}' FROM made),
            deliveries AS (
              INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url, status, attempts,
                                              auto_attempts, next_attempt_at)
              SELECT $1, id, event_id, $2, $3, 'stored', 'DELIVERED', 1, 1, NULL FROM made RETURNING tenant_id, id)
       INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, status_code, request_headers)
       SELECT tenant_id, id, 1, 'auto', now(), 12, 200, '{}' FROM deliveries`,
      [lane.tenantId, lane.subscriptionId, lane.event, Math.min(500_000, count - done)],
    );
  }
  await lab.pool.query('VACUUM ANALYZE webhook_events, webhook_deliveries, webhook_attempts');
}

/** Milliseconds of a page of the list, by several filters in turn, at the 95th percentile. */
export async function listP95(lab: BenchLab, lane: BenchLane): Promise<number> {
  const server = await startServer({ env: { ...lab.env, WEBHOOK_ROLE: 'api', LOG_LEVEL: 'warn' } });
  const token = await new SignJWT({ tenant_id: lane.tenantId, scope: 'webhooks:read' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('bench')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(JWT_SECRET));
  const since = encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString());
  const queries = [
    '',
    '?status=FAILED',
    '?status=DELIVERED',
    `?subscription_id=${lane.subscriptionId}`,
    `?since=${since}`,
  ];
  const times: number[] = [];
  try {
    for (let n = 0; n < 250; n += 1) {
      const startedAtMs = performance.now();
      const answer = await request(
        `${server.url}/api/v1/tenant/webhooks/deliveries${queries[n % queries.length] ?? ''}`,
        {
          headers: { authorization: `Bearer ${token}` },
        },
      );
      await answer.body.dump();
      if (n >= 50) times.push(performance.now() - startedAtMs);
    }
    return percentile(times, 0.95);
  } finally {
    await server.stop();
  }
}
