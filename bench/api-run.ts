import { SignJWT } from 'jose';
import { Pool } from 'undici';

import { createTestDatabase } from '../test/support/test-database.js';
import { JWT_SECRET, type BenchLab } from './bench-lab.js';
import { Child } from './child.js';
import { BODY } from './rows.js';
import { percentile } from './statistics.js';
import { boundOf, type Bound } from './usage.js';

const TENANT = 'bench_run';
const ROUTES = '/api/v1/tenant/webhooks';
const PATIENCE_MS = 120_000;

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

export interface ApiRun {
  /** Events a second from the first call until the last has arrived, by connections. */
  readonly delivered: Readonly<Record<number, number>>;
  /** Requests a second of the bare route with one INSERT, by connections. */
  readonly bare: Readonly<Record<number, number>>;
  /** Microseconds of processor time for each event with the fewest connections. */
  readonly costUs: { readonly service: number; readonly postgres: number };
  /** Bytes of PostgreSQL's log for each event and its delivery. */
  readonly walBytes: number;
  /** With the fewest connections. */
  readonly bound: Bound;
  /** Milliseconds from the call to its arrival, at 50 calls a second. */
  readonly latency: Latency;
  /** The same by a bare route that does one INSERT and sends what it was given: what the machine takes at least. */
  readonly bareLatency: Latency;
}

/**
 * The public API to the receiver, through one process that serves and delivers, with Redis, on a fresh database that was never
 * analysed; beside a bare Fastify route that does one INSERT, under the same load.
 */
export async function apiRun(
  lab: BenchLab,
  count: number,
  connections: readonly [number, ...number[]],
): Promise<ApiRun> {
  const database = await createTestDatabase(lab.postgres.url);
  const env = { DATABASE_URL: database.url, WEBHOOK_QUEUE_PREFIX: database.name };
  const service = await lab.startWorker({ ...env, WEBHOOK_ROLE: 'all' });
  const [bareServer, { port }] = await Child.start('bare-api.mjs', {
    DATABASE_URL: database.url,
    RECEIVER_URL: `${lab.receiverUrl}/ok/bare`,
  });
  const bareUrl = `http://127.0.0.1:${String(port)}`;
  const token = await new SignJWT({ tenant_id: TENANT, scope: 'webhooks:read webhooks:write' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('bench')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(JWT_SECRET));
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

  async function post(pool: Pool, path: string, body: string): Promise<void> {
    const answer = await pool.request({ method: 'POST', path, headers, body });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
  }

  /** As fast as so many connections can, each with one request at a time. */
  async function load(url: string, path: string, body: string, clients: number): Promise<void> {
    const pool = new Pool(url, { connections: clients, pipelining: 1 });
    let left = count;
    const client = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await post(pool, path, body);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    await pool.close();
  }

  async function delivered(clients: number): Promise<number> {
    await lab.expect(count);
    const startedAtMs = performance.now();
    const arrived = lab.received(PATIENCE_MS);
    await load(service.url, `${ROUTES}/deliveries`, `{"event":"run.made","payload":${BODY}}`, clients);
    await arrived;
    return count / ((performance.now() - startedAtMs) / 1_000);
  }

  async function bare(clients: number): Promise<number> {
    const startedAtMs = performance.now();
    await load(bareUrl, '/bare', `{"payload":${BODY}}`, clients);
    return count / ((performance.now() - startedAtMs) / 1_000);
  }

  async function latencyAt(perSecond: number, seconds: number, url: string, path: string): Promise<Latency> {
    const pool = new Pool(url, { connections: 32, pipelining: 1 });
    const wanted = perSecond * seconds;
    await lab.expect(wanted);
    const arrived = lab.received(PATIENCE_MS);
    const startedAtMs = performance.now();
    const calls: Promise<void>[] = [];
    for (let n = 0; n < wanted; n += 1) {
      const waitMs = startedAtMs + (n * 1_000) / perSecond - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      const sentAtMs = performance.timeOrigin + performance.now();
      const payload = JSON.stringify({ n, sentAtMs });
      calls.push(post(pool, path, `{"event":"run.made","payload":${payload}}`));
    }
    await Promise.all(calls);
    const { latencies } = await arrived;
    await pool.close();
    return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
  }

  try {
    const one = new Pool(service.url);
    await post(one, `${ROUTES}/subscriptions`, `{"event":"run.made","url":"${lab.receiverUrl}/ok/run"}`);
    await one.close();
    // Once for the processes to get warm; the tables stay as they are: nothing is analysed by hand.
    await delivered(connections[0]);
    await bare(connections[0]);
    const walBefore = await lab.walBytes();
    const before = lab.usage();
    const rates: Record<number, number> = { [connections[0]]: await delivered(connections[0]) };
    const bound = boundOf(before, lab.usage());
    const walBytes = ((await lab.walBytes()) - walBefore) / count;
    const bareRates: Record<number, number> = { [connections[0]]: await bare(connections[0]) };
    for (const clients of connections.slice(1)) {
      rates[clients] = await delivered(clients);
      bareRates[clients] = await bare(clients);
    }
    const micros = (name: string): number => ((bound.seconds[name] ?? 0) / count) * 1e6;
    return {
      delivered: rates,
      bare: bareRates,
      costUs: { service: micros('service'), postgres: micros('postgres') },
      walBytes,
      bound,
      bareLatency: await latencyAt(50, 6, bareUrl, '/bare-sent'),
      latency: await latencyAt(50, 6, service.url, `${ROUTES}/deliveries`),
    };
  } finally {
    bareServer.stop();
    await service.stop();
    await database.drop();
  }
}
