import type { EntityManager } from 'typeorm';

import type { AttemptTrigger } from '../../domain/attempt.js';
import type { LaneClaim } from '../../application/ports/delivery-lanes.js';
import type { ClaimedDelivery } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';

export interface ClaimRequest {
  readonly lane: Lane;
  readonly limit: number;
  /** Of these, retries at most. */
  readonly retryLimit: number;
}

interface ClaimedRow {
  readonly lane_id: string;
  readonly contended: boolean;
  /** Null, as all that follows, in the one row of a lane from which nothing was claimed. */
  readonly id: string | null;
  readonly tenant_id: string;
  readonly subscription_id: string;
  readonly event: string;
  /** Null when retention removed it in the moment before the delivery was asked for again. */
  readonly payload: string | null;
  readonly attempts: number;
  readonly auto_attempts: number;
  readonly trigger: AttemptTrigger;
  readonly is_retry: boolean;
  readonly target_url: string;
  readonly secret: string;
  readonly previous_secret: string | null;
  readonly active: boolean;
}

/*
 * Lanes that another process is claiming from at this instant are left out. The lock is taken in a statement before the
 * claim, because the claim counts what is under way and must see what the last holder of the lock committed.
 */
const LOCK_LANES = `
SELECT lane_id FROM unnest($1::uuid[]) AS lane (lane_id)
 WHERE pg_try_advisory_xact_lock(hashtextextended(lane_id::text, 0))`;

/*
 * Subscriptions are looked up one by one and once for each lane: joined, the planner may read all of them.
 *
 * Retries are looked up apart from first attempts and are bounded: an endpoint that fails piles them up, and its new
 * events would wait behind all of them. Of both, whatever has been due for longest comes first, so neither starves.
 */
const CLAIM = `
WITH room AS (
  SELECT lane.tenant, lane.id, lane.wanted AS asked, least(lane.wanted, $6::int - busy.sending) AS wanted,
         least(lane.retries, $7::int - busy.retrying) AS retries
    FROM unnest($1::uuid[], $2::int[], $3::int[], $8::text[]) AS lane (id, wanted, retries, tenant)
   CROSS JOIN LATERAL (
     SELECT count(*)::int AS sending, (count(*) FILTER (WHERE s.is_retry))::int AS retrying
       FROM webhook_deliveries s WHERE s.subscription_id = lane.id AND s.status = 'SENDING'
   ) AS busy
), subscription AS MATERIALIZED (
  SELECT of_lane.* FROM room CROSS JOIN LATERAL (
    SELECT s.id, s.url, s.secret, s.active,
           CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret END AS previous_secret
      FROM webhook_subscriptions s WHERE s.tenant_id = room.tenant AND s.id = room.id LIMIT 1
  ) AS of_lane
), first_attempts AS (
  SELECT due.* FROM room CROSS JOIN LATERAL (
    SELECT d.tenant_id, d.id, d.subscription_id, d.next_trigger, d.next_attempt_at, room.wanted
      FROM webhook_deliveries d
     WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
     ORDER BY d.next_attempt_at, d.id LIMIT greatest(0, room.wanted) FOR UPDATE SKIP LOCKED
  ) AS due
), retries AS (
  SELECT due.* FROM room CROSS JOIN LATERAL (
    SELECT d.tenant_id, d.id, d.subscription_id, d.next_trigger, d.next_attempt_at, room.wanted
      FROM webhook_deliveries d
     WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
     ORDER BY d.next_attempt_at, d.id LIMIT greatest(0, least(room.wanted, room.retries)) FOR UPDATE SKIP LOCKED
  ) AS due
), picked AS (
  SELECT * FROM (
    SELECT due.*, row_number() OVER (PARTITION BY subscription_id ORDER BY next_attempt_at, id) AS place
      FROM (SELECT * FROM first_attempts UNION ALL SELECT * FROM retries) AS due
  ) AS ordered WHERE place <= wanted
), claimed AS (
  UPDATE webhook_deliveries d
     SET status = 'SENDING',
         attempts = d.attempts + 1,
         auto_attempts = d.auto_attempts + (p.next_trigger = 'auto')::int,
         lease_token = $4,
         leased_until = now() + $5::int * interval '1 millisecond',
         target_url = s.url,
         updated_at = now()
    FROM picked p
    JOIN subscription s ON s.id = p.subscription_id
   WHERE d.tenant_id = p.tenant_id AND d.id = p.id
  RETURNING d.id, d.tenant_id, d.subscription_id, d.event_id, d.event, d.attempts, d.auto_attempts,
            p.next_trigger AS trigger, d.is_retry, s.url AS target_url, s.secret, s.active,
            s.previous_secret
)
SELECT room.id AS lane_id, room.wanted < room.asked AS contended, c.*, e.payload::text AS payload
  FROM room
  LEFT JOIN claimed c ON c.subscription_id = room.id
  LEFT JOIN webhook_events e ON e.tenant_id = c.tenant_id AND e.id = c.event_id
 ORDER BY c.id`;

/** Claims from several lanes at once; answers one list for each request, in order. */
export async function claimDeliveries(
  manager: EntityManager,
  requests: readonly ClaimRequest[],
  lease: {
    readonly token: string;
    readonly ms: number;
    readonly perLane: number;
    readonly retriesPerLane: number;
  },
): Promise<LaneClaim[]> {
  const wanted = new Map(requests.map((request) => [request.lane.subscriptionId, request]));
  const locked = await manager.query<{ lane_id: string }[]>(LOCK_LANES, [[...wanted.keys()]]);
  const lanes = locked.map((row) => row.lane_id);
  const rows =
    lanes.length === 0
      ? []
      : await manager.query<ClaimedRow[]>(CLAIM, [
          lanes,
          lanes.map((lane) => wanted.get(lane)?.limit ?? 0),
          lanes.map((lane) => wanted.get(lane)?.retryLimit ?? 0),
          lease.token,
          lease.ms,
          lease.perLane,
          lease.retriesPerLane,
          lanes.map((lane) => wanted.get(lane)?.lane.tenantId ?? ''),
        ]);
  // A lane that is not among the rows is being claimed from by another process.
  const byLane = new Map<string, { claims: ClaimedDelivery[]; isContended: boolean }>();
  for (const row of rows) {
    const lane = byLane.get(row.lane_id) ?? { claims: [], isContended: row.contended };
    if (row.id !== null) lane.claims.push(toClaim(row, row.id, lease.token));
    byLane.set(row.lane_id, lane);
  }
  const answered = new Set<string>();
  return requests.map(({ lane: { subscriptionId } }) => {
    // The same lane asked for twice in one batch: the first request has them.
    if (answered.has(subscriptionId)) return { claims: [], isContended: false };
    answered.add(subscriptionId);
    return byLane.get(subscriptionId) ?? { claims: [], isContended: true };
  });
}

function toClaim(row: ClaimedRow, id: string, leaseToken: string): ClaimedDelivery {
  return {
    id,
    tenantId: row.tenant_id,
    subscriptionId: row.subscription_id,
    event: row.event,
    payload: row.payload ?? '',
    payloadExpired: row.payload === null,
    attemptNumber: row.attempts,
    autoAttempts: row.auto_attempts,
    trigger: row.trigger,
    isRetry: row.is_retry,
    leaseToken,
    targetUrl: row.target_url,
    sealedSecret: row.secret,
    sealedPreviousSecret: row.previous_secret,
    subscriptionActive: row.active,
  };
}
