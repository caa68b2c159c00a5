import type { Gate, GatedLane } from './gate.js';
import type { RateLimit } from './rate-limit.js';

/**
 * Milliseconds that an opening reserves slots ahead, so that one claim serves several deliveries, each sent at its slot. No
 * longer than a request may hold a fast place: what waits for its slot holds one as well.
 */
export const RATE_AHEAD_MS = 250;

/** What of a lane its rate goes by. */
export type RatedLane = Pick<GatedLane, 'rateLimit' | 'rateNextAtMs'>;

/** The slots of a rate: GCRA without a burst. */
export interface RateSlots {
  /** When the first one that is free comes. */
  readonly firstMs: number;
  readonly stepMs: number;
}

/**
 * The function `webhook_rate_slots`.
 *
 * @returns null without a limit
 */
export function rateSlots(lane: RatedLane, nowMs: number): RateSlots | null {
  if (lane.rateLimit === null) return null;
  return { firstMs: reservedUntilMs(lane, nowMs) ?? nowMs, stepMs: stepMsOf(lane.rateLimit) };
}

/** The first slot that no delivery has yet, where it is still to come; null: it is now, or there is no limit. */
export function reservedUntilMs({ rateLimit, rateNextAtMs }: RatedLane, nowMs: number): number | null {
  if (rateLimit === null || rateNextAtMs === null || rateNextAtMs <= nowMs) return null;
  // Further ahead than openings ever reserve: from before a clock was set back. It counts for nothing.
  return rateNextAtMs > furthestMs(rateLimit, nowMs) ? null : rateNextAtMs;
}

/** The next slot of a lane whose rate has changed: no later than the new one would have it. */
export function replannedMs({ rateLimit, rateNextAtMs }: RatedLane, nowMs: number): number | null {
  if (rateLimit === null || rateNextAtMs === null) return null;
  return Math.min(rateNextAtMs, furthestMs(rateLimit, nowMs));
}

/** As many as there are slots within reach. The function `webhook_gate_rate`. */
export const rateGate: Gate = (lane, wanted, nowMs) => {
  const slots = rateSlots(lane, nowMs);
  if (slots === null) return { granted: wanted, untilMs: null };
  const { firstMs, stepMs } = slots;
  const aheadMs = nowMs + RATE_AHEAD_MS - firstMs;
  const granted = aheadMs < 0 ? 0 : Math.min(wanted, Math.floor(aheadMs / stepMs) + 1);
  // Asked for again before the next slot comes, so that none goes by unused; with some slots in reach, so that it is seldom.
  const untilMs = granted < wanted ? firstMs + granted * stepMs - RATE_AHEAD_MS / 2 : null;
  return { granted, untilMs };
};

/** The furthest that the next slot ever lies ahead. */
export function furthestAheadMs(rateLimit: RateLimit): number {
  return RATE_AHEAD_MS + stepMsOf(rateLimit);
}

function furthestMs(rateLimit: RateLimit, nowMs: number): number {
  return nowMs + furthestAheadMs(rateLimit);
}

function stepMsOf({ max, perSeconds }: RateLimit): number {
  return (perSeconds * 1_000) / max;
}
