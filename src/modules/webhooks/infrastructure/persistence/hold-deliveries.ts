import type { EntityManager } from 'typeorm';

import type { ClaimedDelivery, HoldReason } from '../../domain/delivery.js';

/** Due deliveries of a lane that one hold keeps back beside those that were claimed; the next turn takes more. */
const LANE_LIMIT = 5_000;

/* As long as nothing moved the due time, it is the same hold: a claim that is given back is none of these. */
const SINCE = 'held_since = CASE WHEN d.held_until = d.next_attempt_at THEN d.held_since ELSE now() END';

/*
 * The claimed ones as they were before their claim, and whatever else of their lanes is due: held one by one, a lane of
 * thousands would be claimed and given back all the time. `held_until` is the due time itself, which is what makes it a
 * hold that is in force.
 */
const HOLD = `
WITH claimed AS (
  UPDATE webhook_deliveries d
     SET status = 'PENDING', attempts = d.attempts - 1,
         auto_attempts = d.auto_attempts - (d.next_trigger = 'auto')::int,
         ${SINCE}, held_reason = $5, held_until = now() + $6::int * interval '1 millisecond',
         next_attempt_at = now() + $6::int * interval '1 millisecond',
         lease_token = NULL, leased_by = NULL, leased_until = NULL, updated_at = now()
    FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::uuid[]) AS c (tenant_id, event_id, subscription_id, lease_token)
   WHERE d.event_id = c.event_id AND d.subscription_id = c.subscription_id AND d.tenant_id = c.tenant_id
     AND d.lease_token = c.lease_token
), due AS (
  SELECT tenant_id, event_id, subscription_id FROM webhook_deliveries
   WHERE subscription_id = ANY ($3::uuid[]) AND status = 'PENDING' AND next_attempt_at <= now()
   LIMIT ${LANE_LIMIT}
     FOR UPDATE SKIP LOCKED
)
UPDATE webhook_deliveries d
   SET ${SINCE}, held_reason = $5, held_until = now() + $6::int * interval '1 millisecond',
       next_attempt_at = now() + $6::int * interval '1 millisecond', updated_at = now()
  FROM due
 WHERE d.event_id = due.event_id AND d.subscription_id = due.subscription_id AND d.tenant_id = due.tenant_id`;

export async function holdDeliveries(
  manager: EntityManager,
  claims: readonly ClaimedDelivery[],
  reason: HoldReason,
  forMs: number,
): Promise<void> {
  await manager.query(HOLD, [
    claims.map((claim) => claim.tenantId),
    claims.map((claim) => claim.eventId),
    claims.map((claim) => claim.subscriptionId),
    claims.map((claim) => claim.leaseToken),
    reason,
    forMs,
  ]);
}
