import { BenchLab, type BenchLane } from '../bench-lab.js';
import { storeGrowth } from '../growth.js';
import { drain, measured } from '../rows.js';
import { percentile } from '../statistics.js';

/** Rows of history that are too old. */
const OLD = 300_000;

/** Milliseconds after its start that a worker begins to remove history. */
const UNTIL_REMOVAL_MS = 3_000;

const PER_SECOND = 100;
const SECONDS = 15;

/** What one way of removing old history does to events that arrive meanwhile. */
interface Removal {
  readonly way: string;
  /** Milliseconds from emit to arrival. */
  readonly p50: number;
  readonly p99: number;
  readonly removed: number;
}

/** A table as the deliveries are, in a piece for each week, of which the old one is taken off and dropped. */
const PARTITIONED = `
CREATE TABLE bench_parts (LIKE webhook_deliveries INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
CREATE TABLE bench_parts_old PARTITION OF bench_parts FOR VALUES FROM ('2000-01-01') TO ('2100-01-01');
INSERT INTO bench_parts SELECT * FROM webhook_deliveries;
CREATE INDEX ON bench_parts (tenant_id, id);
CREATE INDEX ON bench_parts (event_id, subscription_id, tenant_id);
CREATE INDEX ON bench_parts (tenant_id, subscription_id, id);
CREATE INDEX ON bench_parts (event, tenant_id, id)`;

/** `npm run bench -- --removal`: this comparison alone. */
export async function benchRemovals(): Promise<void> {
  const lab = await BenchLab.start();
  try {
    const lanes = await lab.subscribe(10, 'ok', 'ten');
    await drain(lab, lanes, 2_000);
    await sayRemovals(lab, lanes);
  } finally {
    await lab.dispose();
  }
}

export async function sayRemovals(lab: BenchLab, lanes: readonly BenchLane[]): Promise<void> {
  for (const { way, p50, p99, removed } of await compareRemovals(lab, lanes)) {
    const times = `p50 ${p50.toFixed(1)} and p99 ${p99.toFixed(1)} ms at ${PER_SECOND}/s; ${removed} events removed`;
    process.stdout.write(`${`old history: ${way}`.padEnd(44)} ${times}\n`);
  }
}

/** No removal, that of the service, and at its best what partitions would cost: the drop of a piece as large. */
async function compareRemovals(lab: BenchLab, lanes: readonly BenchLane[]): Promise<Removal[]> {
  const arriving = async (
    way: string,
    retentionDays: number,
    meanwhile: () => Promise<unknown>,
  ): Promise<Removal> => {
    const before = await countOf(lab, 'webhook_events');
    const worker = await lab.startWorker({ WEBHOOK_RETENTION_DAYS: String(retentionDays) });
    try {
      await new Promise((resolve) => setTimeout(resolve, UNTIL_REMOVAL_MS));
      const [latencies] = await Promise.all([measured(lab, lanes, PER_SECOND, SECONDS), meanwhile()]);
      const removed = before + PER_SECOND * SECONDS - (await countOf(lab, 'webhook_events'));
      return { way, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), removed };
    } finally {
      await worker.stop();
    }
  };
  const nothing = async (): Promise<void> => Promise.resolve();
  const [lane] = lanes;
  if (lane === undefined) throw new Error('no lanes');
  await lab.clear();
  await storeGrowth(lab, lane, { finished: OLD, subscriptions: 1_000, ageDays: 100 });
  const found = [await arriving('none', 0, nothing)];
  await lab.pool.query(PARTITIONED);
  found.push(
    await arriving('a partition dropped', 0, async () => {
      await new Promise((resolve) => setTimeout(resolve, (SECONDS * 1_000) / 2));
      await lab.pool.query(
        'ALTER TABLE bench_parts DETACH PARTITION bench_parts_old; DROP TABLE bench_parts_old',
      );
    }),
  );
  await lab.pool.query('DROP TABLE bench_parts');
  found.push(await arriving('deletes in small batches', 90, nothing));
  return found;
}

async function countOf(lab: BenchLab, table: string): Promise<number> {
  const { rows } = await lab.pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}
