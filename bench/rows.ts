import { request } from 'undici';
import { SignJWT } from 'jose';

import { startServer } from '../test/support/server-process.js';
import { JWT_SECRET, type BenchLab, type BenchLane } from './bench-lab.js';
import { Child } from './child.js';
import { residentMib } from './processor.js';
import { percentile } from './statistics.js';
import { boundOf, type Bound } from './usage.js';
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

/** A million deliveries take a while. */
const DRAIN_PATIENCE_MS = 1_800_000;

/** Milliseconds after its start that a process counts as idle. */
const IDLE_MS = 5_000;

/** Of events at the rate that is measured, before it is. */
const WARM_UP_SECONDS = 10;

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
  readonly bound: Bound;
  /** Microseconds of processor time for each delivery, by process. */
  readonly costUs: Readonly<Record<string, number>>;
  /** Bytes of PostgreSQL's log for each delivery. */
  readonly walBytes: number;
  /** MiB of the first worker: half-way through, and at most. */
  readonly memoryMib: readonly [number, number];
}

/** What waits, or is sent, beside the lanes whose drain is measured. */
export interface Beside {
  readonly lanes: readonly BenchLane[];
  /** After the backlog that is measured. */
  store(): Promise<void>;
}

export interface DrainOptions {
  readonly workers?: number;
  /** Whether what is stored stays. Default false. */
  readonly keep?: boolean;
  /** Of the workers. */
  readonly env?: Readonly<Record<string, string>>;
  /** Who rings; default the lab's service. */
  readonly ring?: (lanes: readonly BenchLane[]) => void;
  /** What waits, or is sent, beside them. */
  readonly beside?: Beside;
}

/** Stores a backlog, rings its lanes as their emits would have, and drains it through the real path. */
export async function drain(
  lab: BenchLab,
  lanes: readonly BenchLane[],
  count: number,
  { workers = 1, keep = false, env = {}, ring = (all) => lab.service.ring(all), beside }: DrainOptions = {},
): Promise<Drained> {
  if (!keep) await lab.clear();
  const started: WorkerProcess[] = [];
  for (let n = 0; n < workers; n += 1) started.push(await lab.startWorker(env));
  await lab.expect(count);
  await lab.backlog(lanes, count, BODY);
  await beside?.store();
  const walBefore = await lab.walBytes();
  const before = lab.usage();
  ring([...lanes, ...(beside?.lanes ?? [])]);
  const memory: number[] = [];
  const sampling = setInterval(() => memory.push(residentMib(started[0]?.pid ?? 0)), 500);
  const { seconds } = await lab.received(DRAIN_PATIENCE_MS);
  clearInterval(sampling);
  const bound = boundOf(before, lab.usage());
  await lab.requireEachOnce(count, beside === undefined ? undefined : lanes);
  // With what was recorded after the last answer.
  const whole = boundOf(before, lab.usage());
  const walBytes = (await lab.walBytes()) - walBefore;
  for (const worker of started) await worker.stop();
  return {
    perSecond: count / seconds,
    bound,
    costUs: Object.fromEntries(
      Object.entries(whole.seconds).map(([name, value]) => [name, (value / count) * 1e6]),
    ),
    walBytes: walBytes / count,
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

/** Milliseconds from emit to arrival, at a steady rate, each event in a transaction of its own. */
export async function latency(
  lab: BenchLab,
  lanes: readonly BenchLane[],
  perSecond: number,
  seconds: number,
): Promise<{ p50: number; p99: number }> {
  const worker = await lab.startWorker();
  try {
    // As the API run does: for the processes to get warm. A worker that was just started takes three times as long for a delivery.
    await measured(lab, lanes, perSecond, WARM_UP_SECONDS);
    const latencies = await measured(lab, lanes, perSecond, seconds);
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  } finally {
    await worker.stop();
  }
}

/** Milliseconds from when each event was planned to its arrival. */
export async function measured(
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

/** MiB of one process, API and worker, that has nothing to do; a few seconds after its start. */
export async function idleMemory(lab: BenchLab): Promise<number> {
  const idle = await lab.startWorker({ WEBHOOK_ROLE: 'all' });
  try {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return residentMib(idle.pid);
  } finally {
    await idle.stop();
  }
}
