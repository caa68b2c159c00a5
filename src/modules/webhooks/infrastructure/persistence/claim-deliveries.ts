import type { ClaimWish, OpenedLane } from '../../application/ports/delivery-lanes.js';
import type { AttemptTrigger } from '../../domain/attempt.js';
import { asOne } from '../../domain/claims.js';
import type { ClaimedDelivery, HoldReason } from '../../domain/delivery.js';
import { RATE_AHEAD_MS } from '../../domain/gates/rate-gate.js';
import type { Lane } from '../../domain/lane.js';
import type { LaneRest } from '../../domain/turn-verdict.js';
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
  readonly short: boolean;
  readonly reason: HoldReason | null;
  readonly held_ms: number | null;
  /** Due before this claim, counted to one more than it could take. */
  readonly due_first: number;
  readonly due_retries: number;
  readonly next_first_ms: number | null;
  readonly next_retry_ms: number | null;
  readonly wait_ms: number | null;
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
  readonly epoch: number;
  readonly probe: boolean;
  /** Of those that go in one request, their first. */
  readonly batch_id: string | null;
}

const CLAIM = 'SELECT * FROM webhook_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)';

/** Claims from several lanes at once; answers one list for each request, in order. */
export async function claimDeliveries(
  statements: HotStatements,
  requests: readonly ClaimRequest[],
  lease: Lease,
  bounds: { readonly perLane: number; readonly retriesPerLane: number },
): Promise<OpenedLane[]> {
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
    RATE_AHEAD_MS,
  ]);
  const byLane = new Map<string, ClaimedRow[]>();
  for (const row of rows) {
    const ofLane = byLane.get(row.lane_id);
    if (ofLane === undefined) byLane.set(row.lane_id, [row]);
    else ofLane.push(row);
  }
  const answered = new Set<string>();
  return requests.map(({ lane: { subscriptionId } }) => {
    const ofLane = byLane.get(subscriptionId);
    // Not among the rows: another process is opening it. Asked for twice in one batch: the first request has them.
    if (ofLane === undefined || answered.has(subscriptionId)) return { claims: [], rest: { kind: 'busy' } };
    answered.add(subscriptionId);
    const claims = ofLane.flatMap((row) => (row.id === null ? [] : [toClaim(row, row.id, lease.token)]));
    return {
      claims: inRequests(ofLane, claims),
      rest: restOf(ofLane[0], claims),
    };
  });
}

/** What goes in one request as one, in the order in which they go. @param rows one for each of the claims, where there are any */
function inRequests(
  rows: readonly ClaimedRow[],
  claims: readonly ClaimedDelivery[],
): readonly ClaimedDelivery[] {
  if (rows.every((row) => row.batch_id === null)) return claims;
  const requests = new Map<string, ClaimedDelivery[]>();
  claims.forEach((claim, n) => {
    const id = rows[n]?.batch_id ?? claim.id;
    const members = requests.get(id);
    if (members === undefined) requests.set(id, [claim]);
    else members.push(claim);
  });
  return [...requests.values()].flatMap((members) => asOne(members) ?? []);
}

function restOf(row: ClaimedRow | undefined, claims: readonly ClaimedDelivery[]): LaneRest {
  if (row === undefined) return { kind: 'busy' };
  const retries = claims.filter(({ isRetry }) => isRetry).length;
  return {
    kind: 'seen',
    firstDueInMs: row.due_first > claims.length - retries ? 0 : row.next_first_ms,
    retryDueInMs: row.due_retries > retries ? 0 : row.next_retry_ms,
    isShort: row.short,
    hold: row.reason === null ? null : { reason: row.reason, forMs: row.held_ms },
  };
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
    waitMs: row.wait_ms ?? 0,
    epoch: row.epoch,
    isProbe: row.probe,
    leaseToken,
    targetUrl: row.target_url,
    sealedSecret: row.secret,
    sealedPreviousSecret: row.previous_secret,
    settings: row.settings,
    subscriptionActive: row.active,
  };
}
