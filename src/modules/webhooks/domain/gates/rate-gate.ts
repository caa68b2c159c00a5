import type { Gate, GatedLane } from './gate.js';

/**
 * Milliseconds that an opening reserves slots ahead, so that one claim serves several deliveries, each sent at its slot. No
 * longer than a request may hold a fast place: what waits for its slot holds one as well.
 */
export const RATE_AHEAD_MS = 250;

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
export function rateSlots(
  { rateLimit, rateNextAtMs }: Pick<GatedLane, 'rateLimit' | 'rateNextAtMs'>,
  nowMs: number,
): RateSlots | null {
  if (rateLimit === null) return null;
  const stepMs = (rateLimit.perSeconds * 1_000) / rateLimit.max;
  // Further ahead than openings ever reserve: the limit was changed since, or a clock was set back.
  const next = Math.min(rateNextAtMs ?? nowMs, nowMs + RATE_AHEAD_MS + stepMs);
  return { firstMs: Math.max(nowMs, next), stepMs };
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
