import { RATE_AHEAD_MS } from '../../domain/gates/rate-gate.js';
import { LONGEST_THROTTLE_MS } from '../../domain/gates/throttle-gate.js';

/** What the expression looks at. */
export interface HeldReasonOf {
  /** The row of the lane, or null where it keeps nothing back. */
  readonly lane: string;
  /** The settings of its subscription, or null where they say nothing of what may go. */
  readonly settings: string;
  readonly dueAt: string;
  readonly now: string;
  /** Whether another one of its order goes before it. */
  readonly isBehind: string;
}

/**
 * Why a delivery that waits is kept back by its lane, as SQL: what `laneHold` of domain/gates says. A test holds the two
 * against each other, case by case.
 */
export function heldReason({ lane, settings, dueAt, now, isBehind }: HeldReasonOf): string {
  const waitOf = `(${settings} #>> '{batch,max_wait_ms}')::float8 * interval '1 millisecond'`;
  const stepOf = `(${settings} #>> '{rate_limit,per_seconds}')::float8 / (${settings} #>> '{rate_limit,max}')::float8 * interval '1 second'`;
  return `
  CASE WHEN ${lane}.paused_at IS NOT NULL THEN 'paused'
       WHEN ${lane}.circuit_state <> 'closed' AND ${dueAt} <= greatest(${now}, ${lane}.next_probe_at) THEN 'circuit_open'
       WHEN ${lane}.held_until > ${now} AND ${lane}.held_until < ${now} + interval '${LONGEST_THROTTLE_MS + 60_000} milliseconds'
            AND ${dueAt} <= ${lane}.held_until THEN 'throttled'
       WHEN ${isBehind} THEN 'order'
       WHEN ${dueAt} <= ${now} AND ${dueAt} + ${waitOf} > ${now} THEN 'batching'
       WHEN ${dueAt} <= ${now} AND ${lane}.rate_next_at > ${now}
            AND ${lane}.rate_next_at <= ${now} + interval '${RATE_AHEAD_MS} milliseconds' + ${stepOf} THEN 'rate_limited' END`;
}
