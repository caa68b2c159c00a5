import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

import { Redis } from 'ioredis';

import { apiRun } from './api-run.js';
import { BenchLab, type BenchLane } from './bench-lab.js';
import { fairness, takenOver } from './fairness.js';
import { besideBackoff, storeGrowth } from './growth.js';
import { hotPlans } from './hot-plans.js';
import { drain, emitCost, idleMemory, latency, listP95, rawRate, type Drained } from './rows.js';
import { Table } from './table.js';
import { boundOf } from './usage.js';

const DIST = join(import.meta.dirname, '../dist');
const HARNESS = join(import.meta.dirname, '../test/faults/harness');

/** A worker that never sweeps again after its start: what it delivers, rings alone brought. */
const WITHOUT_SWEEP = {
  FAULTS_BUILD: DIST,
  NODE_OPTIONS: `--import=${pathToFileURL(join(HARNESS, 'without-sweep.mjs')).href}`,
};

/** How much of everything there is in a run. */
interface Size {
  readonly drain: number;
  /** Of drains that are there to be compared. */
  readonly shortDrain: number;
  readonly finished: number;
  readonly subscriptions: number;
  readonly memory: number;
}

type Part = (lab: BenchLab, table: Table, ten: readonly BenchLane[], size: Size) => Promise<object>;

/** By the names that `--only` takes, in the order in which they run. */
const PARTS: Readonly<Record<string, Part>> = {
  drain: drains,
  emit: emits,
  api: throughApi,
  arrival: arrivals,
  crowd: crowds,
  memory,
  growth,
};

/**
 * `npm run bench [-- --full] [--only drain,api]`: every figure of the engine's goals, all in one run, as ratios to what the machine
 * can do bare.
 *
 * @param only names of the parts that run; all of them when there is none
 */
export async function bench(full: boolean, only: readonly string[] = []): Promise<void> {
  const size: Size = {
    drain: full ? 50_000 : 20_000,
    shortDrain: full ? 50_000 : 10_000,
    finished: full ? 10_000_000 : 300_000,
    subscriptions: full ? 100_000 : 5_000,
    memory: full ? 1_000_000 : 40_000,
  };
  const unknown = only.filter((name) => !Object.hasOwn(PARTS, name));
  if (unknown.length > 0) {
    throw new Error(`there is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  }
  const table = new Table();
  const lab = await BenchLab.start();
  try {
    const ten = await lab.subscribe(10, 'ok', 'ten');
    const raw: Record<string, unknown> = { size };
    for (const [name, part] of Object.entries(PARTS)) {
      if (only.length === 0 || only.includes(name)) raw[name] = await part(lab, table, ten, size);
    }
    table.report(await versionsOf(lab), raw);
  } finally {
    await lab.dispose();
  }
}

/** `npm run bench -- --growth N`: what N finished deliveries and 100,000 subscriptions in store change. */
export async function benchGrowth(finished: number): Promise<void> {
  const size = { drain: 20_000, finished, subscriptions: 100_000 };
  const table = new Table();
  const lab = await BenchLab.start();
  try {
    const ten = await lab.subscribe(10, 'ok', 'ten');
    await drain(lab, ten, 2_000);
    const measured = await growth(lab, table, ten, size);
    table.report(await versionsOf(lab), { size, growth: measured });
  } finally {
    await lab.dispose();
  }
}

async function drains(
  lab: BenchLab,
  table: Table,
  ten: readonly BenchLane[],
  size: { readonly drain: number; readonly shortDrain: number },
): Promise<object> {
  const hundred = await lab.subscribe(100, 'ok', 'hundred');
  const many = await lab.subscribe(5_000, 'ok', 'many');
  const ofOne = await lab.subscribe(10, 'ok', 'one', () => 'bench_alone');
  const ofThirty = await lab.subscribe(30, 'ok', 'thirty', (n) => `bench_of_thirty_${n}`);
  await drain(lab, ten, 2_000);
  const raw = Math.max(await rawRate(lab, size.drain), await rawRate(lab, size.drain));
  const ratio = (figure: string, drained: Drained): void =>
    table.ratio(`drain, ${figure}, of the bare loop`, drained.perSecond / raw, 0.4, drained.bound.text);
  const one = await drain(lab, ten, size.drain);
  ratio('10 lanes', one);
  const medium = await drain(lab, hundred, size.shortDrain);
  ratio('100 lanes', medium);
  const wide = await drain(lab, many, size.drain);
  ratio('5,000 lanes', wide);
  const alone = await drain(lab, ofOne, size.shortDrain);
  ratio('10 lanes of one tenant', alone);
  const thirty = await drain(lab, ofThirty, size.shortDrain, { env: WITHOUT_SWEEP });
  ratio('30 tenants, without a sweep', thirty);
  // A delivery that had to wait for a sweep would have waited for ever.
  table.add('deliveries that a sweep had to ring', '0', '0', true);
  table.ratio('never idle: processors in use by a drain', one.bound.inUse, 0.9, one.bound.text);
  const two = await drain(lab, ten, size.drain, { workers: 2 });
  table.ratio('two workers, of one', two.perSecond / one.perSecond, 1.3, two.bound.text);
  for (const [name, costUs] of Object.entries(one.costUs)) {
    if (name !== 'bench') table.told(`processor of a drain: ${name}`, `${costUs.toFixed(0)} µs each`);
  }
  table.told('PostgreSQL’s log of a drain', `${one.walBytes.toFixed(0)} bytes each`);
  return { raw, one, medium, wide, alone, thirty, two };
}

async function emits(lab: BenchLab, table: Table, ten: readonly BenchLane[]): Promise<object> {
  const [fan] = await lab.subscribe(1, 'ok', 'fan', () => 'bench_fan');
  await fanOutTo(lab, first([fan]), 99);
  const [emit, emitBound] = await watched(lab, () => emitCost(lab, first(ten), first([fan]), 1_000));
  table.atMost('emit adds to a transaction, p50', emit.p50, 1, 'ms', emitBound);
  table.atMost('emit adds to a transaction, p99', emit.p99, 5, 'ms', emitBound);
  table.told('emit to 100 subscriptions, one statement, adds, p50', `${emit.fanOutP50.toFixed(1)} ms`);
  return emit;
}

async function throughApi(lab: BenchLab, table: Table): Promise<object> {
  await lab.clear();
  const run = await apiRun(lab, 5_000, [32, 128]);
  const ofBare = (clients: number): number => (run.delivered[clients] ?? 0) / (run.bare[clients] ?? 1);
  table.ratio('API run, 32 connections, delivered of a bare INSERT route', ofBare(32), 0.6, run.bound.text);
  table.ratio('API run, 128 connections, delivered of a bare INSERT route', ofBare(128), 0.8);
  const { service, postgres } = run.costUs;
  table.told('API run, each event', `${service.toFixed(0)} µs own, ${postgres.toFixed(0)} µs PostgreSQL`);
  table.told('PostgreSQL’s log of an API run', `${run.walBytes.toFixed(0)} bytes each`);
  table.atMost('call to receiver at 50/s, p50', run.latency.p50, 2.5, 'ms');
  table.atMost('call to receiver at 50/s, p99', run.latency.p99, 6, 'ms');
  const { p50, p99 } = run.bareLatency;
  table.told(
    'the same by a bare route that inserts and sends, p50 and p99',
    `${p50.toFixed(1)} and ${p99.toFixed(1)} ms`,
  );
  return run;
}

async function arrivals(lab: BenchLab, table: Table, ten: readonly BenchLane[]): Promise<object> {
  await lab.clear();
  const [arriving, bound] = await watched(lab, () => latency(lab, ten, 500, 6));
  table.atMost('emit to receiver at 500/s, p50', arriving.p50, 15, 'ms', bound);
  table.atMost('emit to receiver at 500/s, p99', arriving.p99, 100, 'ms', bound);
  return arriving;
}

async function crowds(lab: BenchLab, table: Table): Promise<object> {
  const tenantOf = (n: number): string => `bench_crowd_${n < 300 ? n % 30 : 30 + (n % 30)}`;
  const many = await lab.subscribe(960, 'moody', 'crowd', tenantOf);
  const ofOne = await lab.subscribe(1_000, 'moody', 'owned', () => 'bench_owner');
  const [healthy] = await lab.subscribe(1, 'ok', 'healthy', () => 'bench_healthy');
  const [good] = await lab.subscribe(1, 'ok', 'good', () => 'bench_owner');
  const few = many.slice(0, 300);
  const found: Record<string, { p50: number; p99: number }> = {};
  for (const [name, lanes, mood, deliveries, endpoint] of [
    ['300 endpoints of 30 tenants that hang', few, 'hang', 9_000, healthy],
    ['960 endpoints of 60 tenants that hang', many, 'hang', 9_600, healthy],
    ['300 endpoints that drip', few, 'drip', 9_000, healthy],
    ['300 endpoints that answer 500', few, 'fail', 9_000, healthy],
    ['1,000 endpoints of its own tenant that hang', ofOne, 'hang', 10_000, good],
  ] as const) {
    const [fair, bound] = await watched(lab, () =>
      fairness(lab, { lanes, mood, deliveries }, first([endpoint])),
    );
    table.atMost(
      `an event beside ${name}, p99`,
      fair.p99,
      250,
      'ms',
      `p50 ${fair.p50.toFixed(1)} ms; ${bound}`,
    );
    found[name] = fair;
  }
  const seconds = await takenOver(lab, await lab.subscribe(20, 'second', 'second'));
  table.atMost('a killed worker’s deliveries go on after', seconds, 6, 's');
  return { ...found, takenOver: seconds };
}

async function memory(
  lab: BenchLab,
  table: Table,
  ten: readonly BenchLane[],
  { memory: count }: Size,
): Promise<object> {
  await lab.clear();
  const idle = await idleMemory(lab);
  table.atMost('memory of an idle process, API and worker', idle, 110, 'MiB');
  const drained = await drain(lab, ten, count);
  const [halfWay, most] = drained.memoryMib;
  table.add(
    `memory of a worker draining ${count}`,
    'flat, < 300 MiB',
    `${halfWay.toFixed(0)} MiB half-way, ${most.toFixed(0)} at most`,
    most < 300,
    drained.bound.text,
  );
  return { idle, drained };
}

async function growth(
  lab: BenchLab,
  table: Table,
  ten: readonly BenchLane[],
  size: { readonly drain: number; readonly finished: number; readonly subscriptions: number },
): Promise<object> {
  const stored = `with ${size.finished} finished and ${size.subscriptions} subscriptions stored`;
  const empty = await drain(lab, ten, size.drain);
  await lab.clear();
  const listEmpty = await listP95(lab, first(ten));
  await storeGrowth(lab, first(ten), size);
  const drained = await drain(lab, ten, size.drain, { keep: true });
  table.ratio(`drain ${stored}, of empty`, drained.perSecond / empty.perSecond, 0.9, drained.bound.text);
  const list = await listP95(lab, first(ten));
  table.atMost(`list ${stored}, p95`, list, 20, 'ms', `empty: ${listEmpty.toFixed(1)} ms`);
  const plans = await hotPlans(lab, first(ten));
  for (const { statement, indexes, wholeReads, ms } of plans) {
    const result = wholeReads.length === 0 ? 'none' : wholeReads.join(', ');
    const by = `${ms.toFixed(0)} ms for 40, by ${indexes.join(', ')}`;
    table.add(`tables that ${statement} reads as a whole`, 'none', result, wholeReads.length === 0, by);
  }
  const backoff = await besideBackoff(lab);
  const beside = `beside ${size.subscriptions} endpoints in backoff`;
  table.atMost(`a sweep ${beside}`, backoff.sweepMs, 150, 'ms');
  table.atMost(`a look at the backlog ${beside}`, backoff.backlogMs, 250, 'ms');
  return { empty, drained, list, listEmpty, plans, backoff };
}

/** What something came to, and what bounded it. */
async function watched<T>(lab: BenchLab, work: () => Promise<T>): Promise<[T, string]> {
  const before = lab.usage();
  const answer = await work();
  return [answer, boundOf(before, lab.usage()).text];
}

/** More subscriptions to the event of a lane. */
async function fanOutTo(lab: BenchLab, { tenantId, event }: BenchLane, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await lab.service.createSubscription({
      tenantId,
      actor: { subject: 'bench', requestId: null },
      event,
      url: `${lab.receiverUrl}/ok/fans/${n}`,
    });
  }
}

function first<T>(values: readonly (T | undefined)[]): T {
  const [value] = values;
  if (value === undefined) throw new Error('nothing there');
  return value;
}

async function versionsOf(lab: BenchLab): Promise<object> {
  const { rows } = await lab.pool.query<{ server_version: string }>('SHOW server_version');
  const redis = new Redis(lab.redis.url);
  try {
    const info = await redis.info('server');
    return {
      node: process.version,
      postgres: rows[0]?.server_version,
      redis: /redis_version:(\S+)/.exec(info)?.[1],
    };
  } finally {
    redis.disconnect();
  }
}
