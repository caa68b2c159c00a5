import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

import { BenchLab, startService, type BenchLane } from '../bench-lab.js';
import { Child } from '../child.js';
import { BODY, drain, rawRate } from '../rows.js';
import { WorkerProcess } from '../worker-process.js';
import { sayRemovals } from './retention.js';

const PATIENCE_MS = 120_000;
const COUNT = 20_000;
const JOB_QUEUE = 'bench-deliveries';
const WAYS = ['undici', 'engine', 'axios'] as const;

/** `npm run bench -- --variants`: what the design was chosen over, each beside it in the same run. */
export async function compareVariants(): Promise<void> {
  const lab = await BenchLab.start();
  const say = (what: string, perSecond: number, raw: number): void => {
    const share = (perSecond / raw).toFixed(2);
    process.stdout.write(
      `${what.padEnd(44)} ${perSecond.toFixed(0).padStart(7)}/s  ${share} of the bare loop\n`,
    );
  };
  try {
    const lanes = await lab.subscribe(10, 'ok', 'ten');
    await drain(lab, lanes, 2_000);
    const raw = Math.max(await rawRate(lab, COUNT), await rawRate(lab, COUNT));
    say('bare loop of undici.request and HMAC', raw, raw);
    for (const way of WAYS) say(`sending alone: ${way}`, await sendingRate(lab, way), raw);
    say('lanes over Redis (the design)', (await drain(lab, lanes, COUNT)).perSecond, raw);
    say('lanes inline, no Redis', await inlineRate(lab, lanes), raw);
    const many = await lab.subscribe(5_000, 'ok', 'many');
    say('5,000 lanes over Redis (the design)', (await drain(lab, many, COUNT)).perSecond, raw);
    const env = { WEBHOOK_BROKER: 'postgres' };
    const ringing = await startService({ ...lab.env, ...env, WEBHOOK_ROLE: 'api', LOG_LEVEL: 'warn' });
    try {
      const ring = (all: readonly BenchLane[]): void => ringing.ring(all);
      say('lanes over PostgreSQL', (await drain(lab, lanes, COUNT, { env, ring })).perSecond, raw);
      say('5,000 lanes over PostgreSQL', (await drain(lab, many, COUNT, { env, ring })).perSecond, raw);
    } finally {
      await ringing.close();
    }
    say('one BullMQ job per delivery', await jobRate(lab, lanes), raw);
    await sayRemovals(lab, lanes);
  } finally {
    await lab.dispose();
  }
}

/** Requests a second of one way of sending; see senders.mjs. */
async function sendingRate(lab: BenchLab, way: (typeof WAYS)[number]): Promise<number> {
  const [sender] = await Child.start('variants/senders.mjs');
  try {
    await lab.expect(COUNT);
    sender.send({ way, url: `${lab.receiverUrl}/ok/${way}`, count: COUNT, body: BODY, concurrency: 64 });
    const { seconds } = await lab.received(PATIENCE_MS);
    await sender.next(10_000);
    return COUNT / seconds;
  } finally {
    sender.stop();
  }
}

/** Deliveries a second of a worker that nobody rings: its own sweep finds the backlog. */
async function inlineRate(lab: BenchLab, lanes: readonly BenchLane[]): Promise<number> {
  await lab.clear();
  const { REDIS_URL: _, ...env } = lab.env;
  const worker = await WorkerProcess.start({ ...env, WEBHOOK_ROLE: 'worker' });
  try {
    await lab.expect(COUNT);
    await lab.backlog(lanes, COUNT, BODY);
    const { seconds } = await lab.received(PATIENCE_MS);
    await lab.requireEachOnce(COUNT);
    return COUNT / seconds;
  } finally {
    await worker.stop();
  }
}

/** Deliveries a second of job-per-delivery.mjs; adding the jobs is not counted. */
async function jobRate(lab: BenchLab, lanes: readonly BenchLane[]): Promise<number> {
  await lab.clear();
  await lab.expect(COUNT);
  await lab.backlog(lanes, COUNT, BODY);
  const { rows } = await lab.pool.query<{ tenantId: string; id: string }>(
    'SELECT tenant_id AS "tenantId", id FROM webhook_deliveries ORDER BY id',
  );
  const connection = new Redis(lab.redis.url, { maxRetriesPerRequest: null });
  const queue = new Queue(JOB_QUEUE, { connection });
  try {
    for (let from = 0; from < rows.length; from += 1_000) {
      const batch = rows.slice(from, from + 1_000);
      await queue.addBulk(batch.map((data) => ({ name: 'deliver', data, opts: { removeOnComplete: true } })));
    }
    const [worker] = await Child.start('variants/job-per-delivery.mjs', {
      DATABASE_URL: lab.postgres.url,
      REDIS_URL: lab.redis.url,
      JOB_QUEUE,
    });
    try {
      const { seconds } = await lab.received(PATIENCE_MS);
      await lab.requireEachOnce(COUNT);
      return COUNT / seconds;
    } finally {
      worker.stop();
    }
  } finally {
    await queue.close();
    await connection.quit();
  }
}
