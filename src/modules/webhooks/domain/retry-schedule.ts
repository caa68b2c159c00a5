import { integerProblems, type FieldProblem } from '../../../platform/kernel/field-problem.js';

/**
 * When a subscription's deliveries are tried again. `default`: after 1, 2, 4, … s, exactly, as often as the service is set
 * up for. `standard`: nine times over three days. A list: the seconds before each retry.
 */
export type RetrySchedule = 'default' | 'standard' | readonly number[];

/** 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, in seconds: what other senders of webhooks do. */
export const STANDARD_SCHEDULE_SECONDS = [
  5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
] as const;

/** Retries that a list may name. */
export const MAX_SCHEDULE_RETRIES = 20;
/** Seconds before one retry. */
export const MAX_SCHEDULE_WAIT_SECONDS = 86_400;
/** Seconds of all waits together: 7 days, well within the time for which payloads are kept. */
export const MAX_SCHEDULE_SECONDS = 604_800;

/** First wait of `default`, in milliseconds; each following one doubles: 1 s, 2 s, 4 s (contract). */
export const FIRST_RETRY_DELAY_MS = 1_000;
/** Doubling stops here, in milliseconds: more retries than the default 3 must not wait for days. */
export const MAX_RETRY_DELAY_MS = 3_600_000;

/** Waits other than those of `default` are drawn from this share around them, so that receivers get no waves. */
const JITTER = 0.2;

/** A schedule as an attempt uses it. */
export interface RetryWaits {
  /** Automatic attempts after the first. */
  readonly retries: number;
  /** Milliseconds to wait after the `autoAttempts`-th automatic attempt failed; drawn anew by each call. */
  delayMs(autoAttempts: number): number;
}

/** @param random 0 ≤ n < 1 */
export function waitsOf(
  schedule: RetrySchedule,
  maxRetries: number,
  random: () => number = Math.random,
): RetryWaits {
  if (schedule === 'default') return { retries: maxRetries, delayMs: doubled };
  const waits = schedule === 'standard' ? STANDARD_SCHEDULE_SECONDS : schedule;
  return {
    retries: waits.length,
    // An empty list has no waits, and a manual attempt of a delivery that was never tried may still be followed by one.
    delayMs: (autoAttempts) =>
      jittered((waits[Math.max(autoAttempts - 1, 0)] ?? FIRST_RETRY_DELAY_MS / 1_000) * 1_000, random()),
  };
}

function doubled(autoAttempts: number): number {
  const doublings = Math.max(autoAttempts - 1, 0);
  return Math.min(FIRST_RETRY_DELAY_MS * 2 ** doublings, MAX_RETRY_DELAY_MS);
}

function jittered(waitMs: number, drawn: number): number {
  return Math.round(waitMs * (1 - JITTER + 2 * JITTER * drawn));
}

/** Checks what somebody wants as a schedule; no problems: it is one. */
export function retryScheduleProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (value === 'default' || value === 'standard') return [];
  if (!Array.isArray(value)) {
    return [{ path, msg: 'Retry schedule must be "default", "standard" or a list of seconds' }];
  }
  if (value.length > MAX_SCHEDULE_RETRIES) {
    return [{ path, msg: `Retry schedule must have at most ${MAX_SCHEDULE_RETRIES} waits` }];
  }
  const waits: readonly unknown[] = value;
  const wrong = waits.flatMap((wait, at) =>
    integerProblems(wait, [...path, at], 1, MAX_SCHEDULE_WAIT_SECONDS),
  );
  if (wrong.length > 0) return wrong;
  const seconds = waits.reduce<number>((sum, wait) => sum + Number(wait), 0);
  return seconds > MAX_SCHEDULE_SECONDS ? [{ path, msg: 'Longer than 7 days' }] : [];
}
