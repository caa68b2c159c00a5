import type { EntityManager } from 'typeorm';

import type { Lane } from '../../domain/lane.js';

/** The error of an attempt whose worker died, was frozen past its lease, or could not write the result. */
const INTERRUPTED = 'Connection error: interrupted, the worker stopped before recording a result';

/** Expired leases that one sweep gives back at most; the next takes the rest. */
const RECLAIM_LIMIT = 5_000;

/** Milliseconds that a due delivery may wait before the sweep rings for it: its own ring is usually on its way. */
const GRACE_MS = 250;

/* The interrupted attempt is logged as such; if its worker comes back after all, the real outcome replaces the line. */
const RECLAIM = `
WITH expired AS (
  SELECT tenant_id, id, leased_until, next_trigger
    FROM webhook_deliveries
   WHERE status = 'SENDING' AND leased_until < now()
   LIMIT ${RECLAIM_LIMIT}
     FOR UPDATE SKIP LOCKED
), reclaimed AS (
  UPDATE webhook_deliveries d
     SET status = CASE WHEN d.auto_attempts > $1::int THEN 'FAILED' ELSE 'PENDING' END,
         next_attempt_at = CASE WHEN d.auto_attempts > $1::int THEN NULL ELSE now() END,
         last_error = $2,
         next_trigger = 'auto',
         is_retry = true,
         lease_token = NULL,
         leased_until = NULL,
         updated_at = now()
    FROM expired x
   WHERE d.tenant_id = x.tenant_id AND d.id = x.id
  RETURNING d.tenant_id, d.id, d.attempts, x.next_trigger, x.leased_until
), logged AS (
  INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, error_class, error,
                                request_headers)
    SELECT r.tenant_id, r.id, r.attempts, r.next_trigger, r.leased_until - $3::int * interval '1 millisecond', $3::int,
           'other', $2, '{}'
      FROM reclaimed r
  ON CONFLICT (tenant_id, delivery_id, number) DO NOTHING
)
SELECT count(*)::int AS count FROM reclaimed`;

/* One index probe for each lane that has first attempts waiting and one for retries, however many of them there are. */
const DUE_LANES = `
WITH RECURSIVE lane AS (
  (SELECT subscription_id, is_retry, tenant_id, next_attempt_at
     FROM webhook_deliveries
    WHERE status = 'PENDING' AND subscription_id > $1::uuid
    ORDER BY subscription_id, is_retry, next_attempt_at LIMIT 1)
  UNION ALL
  SELECT following.* FROM lane CROSS JOIN LATERAL (
    SELECT d.subscription_id, d.is_retry, d.tenant_id, d.next_attempt_at
      FROM webhook_deliveries d
     WHERE d.status = 'PENDING' AND (d.subscription_id, d.is_retry) > (lane.subscription_id, lane.is_retry)
     ORDER BY d.subscription_id, d.is_retry, d.next_attempt_at LIMIT 1
  ) AS following
)
SELECT subscription_id, tenant_id FROM lane
 WHERE next_attempt_at <= now() - ${GRACE_MS} * interval '1 millisecond'
 LIMIT $2::int`;

/** @returns how many expired leases were given back. */
export async function reclaimExpired(
  manager: EntityManager,
  maxRetries: number,
  leaseMs: number,
): Promise<number> {
  const rows = await manager.query<{ count: number }[]>(RECLAIM, [maxRetries, INTERRUPTED, leaseMs]);
  return rows[0]?.count ?? 0;
}

/** Lanes with something due, in order of their ids from after `afterId`, so that each gets its turn to be found. */
export async function findDueLanes(
  manager: EntityManager,
  afterId: string,
  limit: number,
): Promise<{ readonly lanes: Lane[]; readonly isLastPage: boolean }> {
  const rows = await manager.query<{ subscription_id: string; tenant_id: string }[]>(DUE_LANES, [
    afterId,
    limit,
  ]);
  const lanes = new Map(
    rows.map((row) => [
      row.subscription_id,
      { tenantId: row.tenant_id, subscriptionId: row.subscription_id },
    ]),
  );
  return { lanes: [...lanes.values()], isLastPage: rows.length < limit };
}
