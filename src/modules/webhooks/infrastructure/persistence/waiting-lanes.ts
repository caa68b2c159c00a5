/**
 * `lane`: one row for each lane that has first attempts waiting and one for retries, with what is due first of them, in order of
 * their ids from after $1 and $2, and `n`, how many that are. One index probe for each, $3 at most: each of a hundred thousand
 * endpoints may have a retry that is due in an hour.
 */
export const WAITING_LANES = `
WITH RECURSIVE lane AS (
  (SELECT 1 AS n, subscription_id, is_retry, tenant_id, next_attempt_at, position
     FROM webhook_deliveries
    WHERE status = 'PENDING' AND (subscription_id, is_retry) > ($1::uuid, $2::boolean)
    ORDER BY subscription_id, is_retry, next_attempt_at LIMIT 1)
  UNION ALL
  SELECT lane.n + 1, following.* FROM lane CROSS JOIN LATERAL (
    SELECT d.subscription_id, d.is_retry, d.tenant_id, d.next_attempt_at, d.position
      FROM webhook_deliveries d
     WHERE d.status = 'PENDING' AND (d.subscription_id, d.is_retry) > (lane.subscription_id, lane.is_retry)
     ORDER BY d.subscription_id, d.is_retry, d.next_attempt_at LIMIT 1
  ) AS following WHERE lane.n < $3::int
)`;

/*
 * The probes go by their index, one after the other. Where statistics know of next to nothing that waits, the planner would
 * rather gather all that lies behind a lane, and sort it, again for each lane: thousands of lanes took it seconds. What is ruled out
 * is made dear, and what is dear would be compiled (JIT).
 */
export const BY_INDEX = `SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true),
       set_config('jit', 'off', true)`;

/** A lane whose first attempts or retries a walk over them has come to. */
export interface WalkedTo {
  readonly subscriptionId: string;
  readonly isRetry: boolean;
}

/** Before the first lane. */
export const WALK_START: WalkedTo = {
  subscriptionId: '00000000-0000-0000-0000-000000000000',
  isRetry: true,
};
