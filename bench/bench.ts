import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';

import { apiRun } from './api-run.js';
import { BenchLab } from './bench-lab.js';
import { apiRates, drain, emitCost, fairness, latency, listP95, rawRate, storeFinished } from './rows.js';

interface Row {
  readonly figure: string;
  readonly goal: string;
  readonly result: string;
  /** Null: nothing to hold it against. */
  readonly reached: boolean | null;
}

const RESULTS = join(import.meta.dirname, 'results');

/** `npm run bench [-- --full]`: every figure of the engine's goals, all in one run, as ratios to what the machine can do bare. */
export async function bench(full: boolean): Promise<void> {
  const size = {
    drain: full ? 50_000 : 20_000,
    finished: full ? 10_000_000 : 300_000,
    memory: full ? 1_000_000 : 60_000,
  };
  const rows: Row[] = [];
  const add = (figure: string, goal: string, result: string, reached: boolean | null): void => {
    rows.push({ figure, goal, result, reached });
    process.stdout.write(`${reached === false ? 'short' : 'ok   '}  ${figure}: ${result} (goal ${goal})\n`);
  };
  const ratio = (figure: string, value: number, goal: number): void =>
    add(figure, `≥ ${goal.toFixed(2)}`, value.toFixed(2), value >= goal);
  const atMost = (figure: string, valueMs: number, goalMs: number): void =>
    add(figure, `< ${goalMs} ms`, `${valueMs.toFixed(1)} ms`, valueMs < goalMs);

  const lab = await BenchLab.start();
  try {
    const ten = await lab.subscribe(10, 'ok', 'ten');
    const many = await lab.subscribe(5_000, 'ok', 'many');
    await drain(lab, ten, 2_000);
    const raw = Math.max(await rawRate(lab, size.drain), await rawRate(lab, size.drain));
    const one = await drain(lab, ten, size.drain);
    ratio('drain, 10 lanes, of the bare loop', one.perSecond / raw, 0.5);
    const wide = await drain(lab, many, size.drain);
    ratio('drain, 5,000 lanes, of the bare loop', wide.perSecond / raw, 0.4);
    const two = await drain(lab, ten, size.drain, 2);
    ratio('two workers, of one', two.perSecond / one.perSecond, 1.3);

    const [fan] = await Promise.all([fanOutOf(lab, 100)]);
    const emit = await emitCost(lab, first(ten), fan, 1_000);
    atMost('emit adds to a transaction, p50', emit.p50, 1);
    atMost('emit adds to a transaction, p99', emit.p99, 5);
    add('emit to 100 subscriptions adds, p50', 'one statement', `${emit.fanOutP50.toFixed(1)} ms`, null);

    await lab.clear();
    const api = await apiRates(lab, 4);
    ratio('POST /deliveries, of a bare INSERT route', api.api / api.bare, 0.35);

    const run = await apiRun(lab, 5_000, [32, 128]);
    const ofBare = (clients: number): number => (run.delivered[clients] ?? 0) / (run.bare[clients] ?? 1);
    ratio('API run, 32 connections, delivered of a bare INSERT route', ofBare(32), 0.6);
    ratio('API run, 128 connections, delivered of a bare INSERT route', ofBare(128), 0.8);
    const { service, postgres } = run.costUs;
    add(
      'API run, each event',
      'told',
      `${service.toFixed(0)} µs own, ${postgres.toFixed(0)} µs PostgreSQL`,
      null,
    );
    atMost('call to receiver at 50/s, p50', run.latency.p50, 2.5);
    atMost('call to receiver at 50/s, p99', run.latency.p99, 6);

    await lab.clear();
    const arriving = await latency(lab, ten, 500, 6);
    atMost('emit to receiver at 500/s, p50', arriving.p50, 15);
    atMost('emit to receiver at 500/s, p99', arriving.p99, 100);
    const fair = await fairness(lab, 10_000);
    add('the same beside 300 hanging endpoints, p50', 'told', `${fair.p50.toFixed(1)} ms`, null);
    atMost('the same beside 300 hanging endpoints, p99', fair.p99, 250);

    const memory = await drain(lab, ten, size.memory);
    add(
      `memory of a worker draining ${size.memory}`,
      'flat, < 300 MiB',
      `${memory.memoryMib[0].toFixed(0)} MiB half-way, ${memory.memoryMib[1].toFixed(0)} at most`,
      memory.memoryMib[1] < 300,
    );
    await lab.clear();
    await storeFinished(lab, first(ten), size.finished);
    const stored = await drain(lab, ten, size.drain, 1, false);
    ratio(`drain with ${size.finished} finished stored, of empty`, stored.perSecond / one.perSecond, 0.9);
    atMost(`list with ${size.finished} stored, p95`, await listP95(lab, first(ten)), 20);

    const percent = (value = 0): string => `${(value * 100).toFixed(0)} %`;
    for (const [name, share] of Object.entries(one.shares)) {
      add(
        `processor of a drain: ${name}`,
        'told',
        `${percent(share)}, ${(one.costUs[name] ?? 0).toFixed(0)} µs each`,
        null,
      );
    }
    report(rows, await versionsOf(lab), {
      raw,
      one,
      wide,
      two,
      emit,
      api,
      run,
      arriving,
      fair,
      memory,
      stored,
      size,
    });
  } finally {
    await lab.dispose();
  }
}

/** An event with `count` subscriptions. */
async function fanOutOf(
  lab: BenchLab,
  count: number,
): Promise<{ tenantId: string; subscriptionId: string; event: string }> {
  for (let n = 0; n < count; n += 1) {
    await lab.service.createSubscription({
      tenantId: 'bench_fan',
      actor: { subject: 'bench', requestId: null },
      event: 'fan.out',
      url: `${lab.receiverUrl}/ok/fan/${n}`,
    });
  }
  return { tenantId: 'bench_fan', subscriptionId: '', event: 'fan.out' };
}

function first<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined) throw new Error('nothing there');
  return value;
}

function report(rows: readonly Row[], versions: object, raw: object): void {
  const widths = [
    Math.max(...rows.map((row) => row.figure.length)),
    Math.max(...rows.map((row) => row.goal.length)),
    Math.max(...rows.map((row) => row.result.length)),
  ] as const;
  const state = (row: Row): string => (row.reached === null ? '' : row.reached ? 'ok' : 'SHORT');
  process.stdout.write('\n');
  for (const row of rows) {
    const cells = [
      row.figure.padEnd(widths[0]),
      row.goal.padEnd(widths[1]),
      row.result.padEnd(widths[2]),
      state(row),
    ];
    process.stdout.write(`${cells.join('  ')}\n`);
  }
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${new Date().toISOString().replaceAll(':', '-')}.json`);
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model,
    platform: process.platform,
  };
  writeFileSync(file, `${JSON.stringify({ machine, versions, commit: commit(), rows, raw }, null, 2)}\n`);
  process.stdout.write(`\nWritten to ${file}\n`);
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

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
