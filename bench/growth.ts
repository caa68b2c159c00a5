import { ENGINE_LIMITS } from '../src/modules/webhooks/application/engine-limits.js';
import { readBacklog } from '../src/modules/webhooks/infrastructure/persistence/read-backlog.js';
import { findDueLanes } from '../src/modules/webhooks/infrastructure/persistence/sweep-deliveries.js';
import { WALK_START } from '../src/modules/webhooks/infrastructure/persistence/waiting-lanes.js';
import type { BenchLab, BenchLane } from './bench-lab.js';
import { percentile } from './statistics.js';

/** Tenants that stored subscriptions are dealt out to. */
const TENANTS = 1_000;

/** Rows of one statement: enough to be fast, few enough for its rows to be sorted in memory. */
const BATCH = 250_000;

const GROWING = ['webhook_events', 'webhook_deliveries', 'webhook_attempts'];

/**
 * What a service of some years has: subscriptions that are idle, and finished deliveries, half of them of one tenant's one
 * subscription, half of all the others. Indexes that enforce nothing are built afterwards, as one would for a restore: kept up
 * row by row, filling takes ten times as long.
 */
export async function storeGrowth(
  lab: BenchLab,
  lane: BenchLane,
  size: { readonly finished: number; readonly subscriptions: number; readonly ageDays?: number },
): Promise<void> {
  await lab.pool.query(
    `INSERT INTO webhook_subscriptions (tenant_id, id, event, url, secret)
     SELECT 'grown_' || n % $2::int, webhook_uuid_v7(), 'grown.e' || n / $2::int, $3 || n, 'unread'
       FROM generate_series(0, $1::int - 1) AS n`,
    [size.subscriptions, TENANTS, `${lab.receiverUrl}/ok/grown/`],
  );
  const { rows: indexes } = await lab.pool.query<{ name: string; definition: string }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
       FROM pg_index i WHERE i.indrelid = ANY ($1::regclass[]) AND NOT i.indisunique`,
    [GROWING],
  );
  for (const { name } of indexes) await lab.pool.query(`DROP INDEX ${name}`);
  for (let done = 0; done < size.finished; done += BATCH) {
    await lab.pool.query(FINISHED, [
      lane.tenantId,
      lane.subscriptionId,
      lane.event,
      Math.min(BATCH, size.finished - done),
      size.subscriptions,
      size.ageDays ?? 0,
    ]);
  }
  for (const { definition } of indexes) {
    await lab.pool.query(`SET maintenance_work_mem = '512MB'; ${definition}; RESET maintenance_work_mem`);
  }
  await lab.pool.query(`VACUUM ANALYZE ${GROWING.join(', ')}, webhook_subscriptions, webhook_lanes`);
}

/* Every second one is of the subscription given, the others take the idle ones in turn. */
const FINISHED = `
WITH idle AS MATERIALIZED (
  SELECT row_number() OVER () - 1 AS n, tenant_id, id, event FROM webhook_subscriptions WHERE tenant_id LIKE 'grown%'
), made AS MATERIALIZED (
  SELECT CASE WHEN g % 2 = 0 THEN $1 ELSE i.tenant_id END AS tenant_id, CASE WHEN g % 2 = 0 THEN $2 ELSE i.id END AS subscription_id,
         CASE WHEN g % 2 = 0 THEN $3 ELSE i.event END AS event, webhook_uuid_v7() AS event_id, webhook_uuid_v7() AS id
    FROM generate_series(1, $4::int) g JOIN idle i ON i.n = g % $5::int
), events AS (
  INSERT INTO webhook_events (tenant_id, id, event, payload, created_at)
  SELECT tenant_id, event_id, event, '{"n":1}', now() - $6::int * interval '1 day' FROM made
), deliveries AS (
  INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url, status, attempts,
                                  auto_attempts, next_attempt_at, last_status_code, last_duration_ms, created_at)
  SELECT tenant_id, id, event_id, subscription_id, event, 'stored', 'DELIVERED', 1, 1, NULL, 200, 12,
         now() - $6::int * interval '1 day' FROM made
)
INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, status_code, request_headers)
SELECT tenant_id, id, 1, 'auto', now(), 12, 200, '{}' FROM made`;

/** Every idle endpoint has a retry that is due in an hour, as after an outage of the network. */
const ALL_IN_BACKOFF = `
WITH made AS (
  SELECT tenant_id, id AS subscription_id, event, webhook_uuid_v7() AS event_id, webhook_uuid_v7() AS id
    FROM webhook_subscriptions WHERE tenant_id LIKE 'grown%'
), events AS (
  INSERT INTO webhook_events (tenant_id, id, event, payload) SELECT tenant_id, event_id, event, '{"n":1}' FROM made
)
INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url, attempts, auto_attempts, is_retry,
                                next_attempt_at)
SELECT tenant_id, id, event_id, subscription_id, event, 'stored', 1, 1, true, now() + interval '1 hour' FROM made`;

/** Milliseconds of a sweep, and of a look at the backlog, while all idle endpoints wait for a retry. */
export async function besideBackoff(lab: BenchLab): Promise<{ sweepMs: number; backlogMs: number }> {
  await lab.pool.query(ALL_IN_BACKOFF);
  const client = await lab.pool.connect();
  const manager = {
    query: async (sql: string, values: unknown[] = []): Promise<unknown[]> =>
      (await client.query(sql, values)).rows as unknown[],
  } as never;
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const startedAtMs = performance.now();
    await work();
    return performance.now() - startedAtMs;
  };
  try {
    const sweeps: number[] = [];
    const looks: number[] = [];
    let from = WALK_START;
    for (let n = 0; n < 11; n += 1) {
      await client.query('BEGIN');
      sweeps.push(
        await timed(async () => {
          const { sweepLanes: lanes, sweepLooks: looked } = ENGINE_LIMITS;
          from = (await findDueLanes(manager, from, { lanes, looks: looked })).sweptUpTo;
        }),
      );
      looks.push(await timed(() => readBacklog(manager)));
      await client.query('ROLLBACK');
    }
    return { sweepMs: percentile(sweeps, 0.5), backlogMs: percentile(looks, 0.5) };
  } finally {
    client.release();
    await lab.pool.query(`DELETE FROM webhook_deliveries WHERE status = 'PENDING' AND target_url = 'stored'`);
  }
}
