import type { Gate } from './gate.js';

/** Milliseconds for which an endpoint may hold its whole lane; a delivery of its own may have to wait for longer. */
export const LONGEST_THROTTLE_MS = 3_600_000;

/** Further ahead than any hold is ever set: one that lies there was set before a clock went back, and counts for nothing. */
const HORIZON_MS = LONGEST_THROTTLE_MS + 60_000;

/** Nothing goes out before the time that the endpoint asked for. The function `webhook_gate_throttle`. */
export const throttleGate: Gate = ({ heldUntilMs }, wanted, nowMs) =>
  isThrottled(heldUntilMs, nowMs) ? { granted: 0, untilMs: heldUntilMs } : { granted: wanted, untilMs: null };

/** Whether the endpoint wants nothing yet. */
export function isThrottled(heldUntilMs: number | null, nowMs: number): heldUntilMs is number {
  return heldUntilMs !== null && heldUntilMs > nowMs && heldUntilMs < nowMs + HORIZON_MS;
}

/**
 * Until when a lane is held after an answer that asked for `waitMs`; 0: it did not. The latest of what was asked for counts,
 * because answers that were under way together come in any order. The function `webhook_throttle_after`.
 */
export function throttledAfter(heldUntilMs: number | null, waitMs: number, nowMs: number): number | null {
  const inForce = isThrottled(heldUntilMs, nowMs) ? heldUntilMs : null;
  if (waitMs <= 0) return inForce;
  return Math.max(inForce ?? nowMs, nowMs + Math.min(waitMs, LONGEST_THROTTLE_MS));
}

/** The wait that an answer asks of everything that goes to its endpoint: 429 and 503 speak of the endpoint, others of a request. */
export function throttleWaitMs(statusCode: number | null, retryAfterMs: number): number {
  return statusCode === 429 || statusCode === 503 ? retryAfterMs : 0;
}
