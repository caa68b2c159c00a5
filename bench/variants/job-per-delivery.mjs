/**
 * The design that the lanes were chosen over: one BullMQ job for each delivery, which claims its row, sends, and writes
 * its result. Sends by undici alone and logs nothing, so it is measured at its best; the statements are the least that
 * keeps the same guarantees (a lease with a token, the attempt and the state in one statement).
 */
import { createHmac, randomUUID } from 'node:crypto';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Agent, request } from 'undici';

/** Jobs at a time: as many requests under way as the bare loop has. */
const JOBS = 64;

const CLAIM = `
UPDATE webhook_deliveries d
   SET status = 'SENDING', attempts = d.attempts + 1, auto_attempts = d.auto_attempts + 1, lease_token = $3,
       leased_until = now() + interval '15 seconds', target_url = s.url, updated_at = now()
  FROM webhook_subscriptions s, webhook_events e
 WHERE d.tenant_id = $1 AND d.id = $2 AND d.status = 'PENDING'
   AND s.tenant_id = d.tenant_id AND s.id = d.subscription_id AND e.tenant_id = d.tenant_id AND e.id = d.event_id
RETURNING s.url, e.payload::text AS body`;

const RECORD = `
WITH moved AS (
  UPDATE webhook_deliveries SET status = 'DELIVERED', next_attempt_at = NULL, lease_token = NULL, leased_until = NULL,
         updated_at = now()
   WHERE tenant_id = $1 AND id = $2 AND lease_token = $3 RETURNING attempts
)
INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, status_code,
                              request_headers, response_body)
SELECT $1, $2, attempts, 'auto', now(), 1, $4, $5, 'ok' FROM moved`;

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const dispatcher = new Agent({ connections: JOBS, pipelining: 1 });
const connection = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });

async function deliver({ data: { tenantId, id } }) {
  const token = randomUUID();
  const claimed = (await pool.query(CLAIM, [tenantId, id, token])).rows[0];
  if (claimed === undefined) return;
  const signature = createHmac('sha256', 'a-secret-of-some-length').update(claimed.body).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-signature': `sha256=${signature}` };
  const answer = await request(claimed.url, { method: 'POST', dispatcher, body: claimed.body, headers });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`${claimed.url} answered ${answer.statusCode}`);
  await pool.query(RECORD, [tenantId, id, token, answer.statusCode, JSON.stringify(headers)]);
}

const worker = new Worker(process.env.JOB_QUEUE, deliver, { connection, concurrency: JOBS });
worker.on('error', (cause) => process.send({ error: String(cause) }));
worker.on('failed', (_job, cause) => process.send({ error: String(cause) }));
process.on('disconnect', () => process.exit(0));
await worker.waitUntilReady();
process.send({ ready: true });
