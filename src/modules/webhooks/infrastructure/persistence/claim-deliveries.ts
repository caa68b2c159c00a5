import type { EntityManager } from 'typeorm';

import type { AttemptTrigger } from '../../domain/attempt.js';
import type { ClaimedDelivery } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';

export interface ClaimRequest {
  readonly lane: Lane;
  readonly limit: number;
}

interface ClaimedRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly subscription_id: string;
  readonly event: string;
  readonly payload: string;
  readonly attempts: number;
  readonly auto_attempts: number;
  readonly trigger: AttemptTrigger;
  readonly target_url: string;
  readonly secret: string;
  readonly active: boolean;
}

/*
 * Lanes that another process is claiming from at this instant are left out. The lock is taken in a statement before the
 * claim, because the claim counts what is under way and must see what the last holder of the lock committed.
 */
const LOCK_LANES = `
SELECT lane_id FROM unnest($1::uuid[]) AS lane (lane_id)
 WHERE pg_try_advisory_xact_lock(hashtextextended(lane_id::text, 0))`;

const CLAIM = `
WITH picked AS (
  SELECT due.tenant_id, due.id, due.subscription_id, due.next_trigger
    FROM unnest($1::uuid[], $2::int[]) AS lane (id, wanted)
   CROSS JOIN LATERAL (
     SELECT d.tenant_id, d.id, d.subscription_id, d.next_trigger
       FROM webhook_deliveries d
      WHERE d.subscription_id = lane.id AND d.status = 'PENDING' AND d.next_attempt_at <= now()
      ORDER BY d.next_attempt_at, d.id
      LIMIT greatest(0, least(lane.wanted, $5::int - (
        SELECT count(*) FROM webhook_deliveries s WHERE s.subscription_id = lane.id AND s.status = 'SENDING')))
        FOR UPDATE SKIP LOCKED
   ) AS due
), claimed AS (
  UPDATE webhook_deliveries d
     SET status = 'SENDING',
         attempts = d.attempts + 1,
         auto_attempts = d.auto_attempts + (p.next_trigger = 'auto')::int,
         lease_token = $3,
         leased_until = now() + $4::int * interval '1 millisecond',
         target_url = s.url,
         updated_at = now()
    FROM picked p
    JOIN webhook_subscriptions s ON s.tenant_id = p.tenant_id AND s.id = p.subscription_id
   WHERE d.tenant_id = p.tenant_id AND d.id = p.id
  RETURNING d.id, d.tenant_id, d.subscription_id, d.event_id, d.event, d.attempts, d.auto_attempts,
            p.next_trigger AS trigger, s.url AS target_url, s.secret, s.active
)
SELECT c.*, e.payload::text AS payload
  FROM claimed c
  JOIN webhook_events e ON e.tenant_id = c.tenant_id AND e.id = c.event_id
 ORDER BY c.id`;

/** Claims from several lanes at once; answers one list for each request, in order. */
export async function claimDeliveries(
  manager: EntityManager,
  requests: readonly ClaimRequest[],
  lease: { readonly token: string; readonly ms: number; readonly perLane: number },
): Promise<ClaimedDelivery[][]> {
  const wanted = new Map(requests.map((request) => [request.lane.subscriptionId, request.limit]));
  const locked = await manager.query<{ lane_id: string }[]>(LOCK_LANES, [[...wanted.keys()]]);
  const lanes = locked.map((row) => row.lane_id);
  const rows =
    lanes.length === 0
      ? []
      : await manager.query<ClaimedRow[]>(CLAIM, [
          lanes,
          lanes.map((lane) => wanted.get(lane) ?? 0),
          lease.token,
          lease.ms,
          lease.perLane,
        ]);
  const byLane = new Map<string, ClaimedDelivery[]>();
  for (const row of rows) {
    const claims = byLane.get(row.subscription_id) ?? [];
    claims.push(toClaim(row, lease.token));
    byLane.set(row.subscription_id, claims);
  }
  return requests.map((request) => {
    const claims = byLane.get(request.lane.subscriptionId) ?? [];
    // The same lane asked for twice in one batch: the first request has them.
    byLane.delete(request.lane.subscriptionId);
    return claims;
  });
}

function toClaim(row: ClaimedRow, leaseToken: string): ClaimedDelivery {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    subscriptionId: row.subscription_id,
    event: row.event,
    payload: row.payload,
    attemptNumber: row.attempts,
    autoAttempts: row.auto_attempts,
    trigger: row.trigger,
    leaseToken,
    targetUrl: row.target_url,
    sealedSecret: row.secret,
    subscriptionActive: row.active,
  };
}
