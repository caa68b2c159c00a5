import type { ClaimWish, LaneClaim } from '../../application/ports/delivery-lanes.js';
import type { AttemptTrigger } from '../../domain/attempt.js';
import type { ClaimedDelivery } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';
import type { HotStatements } from './hot-statements.js';

export interface ClaimRequest {
  readonly lane: Lane;
  readonly wish: ClaimWish;
}

/** Whose the claims are, and until when. */
export interface Lease {
  readonly token: string;
  readonly owner: string;
  readonly ms: number;
  /** Milliseconds that it outlives an attempt whose subscription has a time budget of its own. */
  readonly marginMs: number;
}

interface ClaimedRow {
  readonly lane_id: string;
  readonly contended: boolean;
  /** Null, as all that is the delivery's, in the one row of a lane from which nothing was claimed. */
  readonly id: string | null;
  readonly tenant_id: string;
  readonly event_id: string;
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
  readonly settings: string | null;
}

const CLAIM = 'SELECT * FROM webhook_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)';

/** Claims from several lanes at once; answers one list for each request, in order. */
export async function claimDeliveries(
  statements: HotStatements,
  requests: readonly ClaimRequest[],
  lease: Lease,
  bounds: { readonly perLane: number; readonly retriesPerLane: number },
): Promise<LaneClaim[]> {
  // Sorted, so that two processes which lock several of the same lanes meet them in one order.
  const wanted = new Map(requests.map((request) => [request.lane.subscriptionId, request]));
  const lanes = [...wanted.values()].sort((a, b) => (a.lane.subscriptionId < b.lane.subscriptionId ? -1 : 1));
  const rows = await statements.run<ClaimedRow>(CLAIM, [
    lanes.map(({ lane }) => lane.subscriptionId),
    lanes.map(({ lane }) => lane.tenantId),
    lanes.map(({ wish }) => wish.limit),
    lanes.map(({ wish }) => wish.retryLimit ?? wish.limit),
    lanes.map(({ wish }) => bounds.perLane - (wish.taken ?? 0)),
    lanes.map(({ wish }) => bounds.retriesPerLane - (wish.retriesTaken ?? 0)),
    lease.token,
    lease.owner,
    lease.ms,
    lease.marginMs,
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
    subscriptionId: row.lane_id,
    eventId: row.event_id,
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
    settings: row.settings,
    subscriptionActive: row.active,
  };
}
