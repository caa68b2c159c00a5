import type { Hold } from '../delivery.js';
import { isShut } from './circuit-gate.js';
import type { GatedLane } from './gate.js';
import { reservedUntilMs } from './rate-gate.js';
import { isThrottled } from './throttle-gate.js';

/** What a delivery waits for in the order of its endpoint, and when that one is tried again; null: nobody knows. */
export interface BlockedBy {
  readonly id: string;
  readonly untilMs: number | null;
}

/** What of a lane its deliveries show. */
export interface ShownLane extends Omit<GatedLane, 'heads' | 'batches'> {
  /** Milliseconds that a delivery waits for others to go with it; null: it goes alone. */
  readonly maxWaitMs: number | null;
}

/**
 * What keeps a waiting delivery back because of its lane, read from it and never written to the delivery.
 *
 * @param blocker null: it is the next of its key, or there is no order
 */
export function laneHold(
  lane: ShownLane,
  dueAtMs: number,
  nowMs: number,
  blocker: BlockedBy | null = null,
): Hold | null {
  if (lane.isPaused) return { reason: 'paused', until: null };
  const { state, nextProbeAtMs } = lane.circuit;
  if (state !== 'closed') {
    const isKnown = state === 'open' && isShut(nextProbeAtMs, nowMs);
    // What is due only after the next probe waits for its time, not for the circuit.
    if (dueAtMs <= Math.max(nowMs, nextProbeAtMs ?? nowMs)) {
      return { reason: 'circuit_open', until: isKnown ? new Date(nextProbeAtMs) : null };
    }
  }
  const { heldUntilMs } = lane;
  if (isThrottled(heldUntilMs, nowMs) && dueAtMs <= heldUntilMs) {
    return { reason: 'throttled', until: new Date(heldUntilMs) };
  }
  if (blocker !== null) {
    const until = blocker.untilMs === null ? null : new Date(blocker.untilMs);
    return { reason: 'order', until, blockedBy: blocker.id };
  }
  const { maxWaitMs } = lane;
  if (maxWaitMs !== null && dueAtMs <= nowMs && dueAtMs + maxWaitMs > nowMs) {
    return { reason: 'batching', until: new Date(dueAtMs + maxWaitMs) };
  }
  const slotAtMs = dueAtMs > nowMs ? null : reservedUntilMs(lane, nowMs);
  return slotAtMs === null ? null : { reason: 'rate_limited', until: new Date(slotAtMs) };
}
