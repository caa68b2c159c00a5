import type { AttemptTrigger, ErrorClass } from './attempt.js';
import { parseHttpDate } from './http-date.js';
import type { RetryWaits } from './retry-schedule.js';

/** A receiver may ask for at most this wait with `Retry-After`, in milliseconds (24 h). */
export const MAX_RETRY_AFTER_MS = 86_400_000;

/** 4xx codes that mean "not now" instead of "never" (contract). */
const RETRYABLE_CLIENT_ERRORS: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/** What one attempt came to. */
export type SendOutcome =
  | { readonly kind: 'delivered'; readonly statusCode: number }
  | {
      readonly kind: 'retryable';
      readonly error: string;
      readonly errorClass: ErrorClass;
      readonly statusCode: number | null;
      /** The wait that the receiver asked for, in milliseconds; 0 when it did not. */
      readonly retryAfterMs: number;
    }
  | {
      readonly kind: 'permanent';
      readonly error: string;
      readonly errorClass: ErrorClass;
      readonly statusCode: number | null;
    }
  /** 410: the receiver says that it wants nothing any more. */
  | {
      readonly kind: 'gone';
      readonly error: string;
      readonly errorClass: ErrorClass;
      readonly statusCode: number;
    }
  | { readonly kind: 'blocked'; readonly error: string };

/** Reads a status code as an outcome: 2xx delivered; 408, 409, 425, 429, 3xx and 5xx retryable; other 4xx permanent. */
export function outcomeOfStatus(statusCode: number, retryAfterMs: number): SendOutcome {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered', statusCode };
  const error = `HTTP ${statusCode}`;
  if (statusCode === 410) return { kind: 'gone', error, errorClass: 'http_4xx', statusCode };
  if (statusCode >= 400 && statusCode < 500 && !RETRYABLE_CLIENT_ERRORS.has(statusCode)) {
    return { kind: 'permanent', error, errorClass: 'http_4xx', statusCode };
  }
  return { kind: 'retryable', error, errorClass: classOfStatus(statusCode), statusCode, retryAfterMs };
}

function classOfStatus(statusCode: number): ErrorClass {
  if (statusCode >= 500 && statusCode < 600) return 'http_5xx';
  if (statusCode >= 400 && statusCode < 500) return 'http_4xx';
  return statusCode >= 300 && statusCode < 400 ? 'http_3xx' : 'other';
}

/**
 * Reads `Retry-After` (RFC 9110 §10.2.3): seconds, of which fractions count as a whole one, or an HTTP date, always in
 * UTC. What is unreadable, negative or past is 0.
 *
 * @returns the wait in milliseconds, at most {@link MAX_RETRY_AFTER_MS}
 */
export function parseRetryAfter(value: string | null, nowMs: number): number {
  if (value === null) return 0;
  const text = value.trim();
  const waitMs = /^\d+(?:\.\d+)?$/.test(text)
    ? Math.ceil(Number(text)) * 1_000
    : (parseHttpDate(text, nowMs) ?? nowMs) - nowMs;
  return Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

/** Where a delivery goes after an attempt. */
export type NextStep =
  | { readonly status: 'DELIVERED' }
  | { readonly status: 'FAILED'; readonly lastError: string; readonly deactivate: boolean }
  | {
      readonly status: 'PENDING';
      readonly lastError: string;
      readonly delayMs: number;
      /** The attempt does not use up the schedule. */
      readonly isFree?: true;
      /** It went with others, and goes alone from now on. */
      readonly isApart?: true;
    };

/**
 * The transition table after an attempt. At most `waits.retries + 1` automatic attempts are ever made; a manual attempt
 * does not use one up, and after it fails the automatic ones that are left go on.
 */
export function nextStep(
  outcome: SendOutcome,
  attempt: { readonly trigger: AttemptTrigger; readonly autoAttempts: number },
  waits: RetryWaits,
): NextStep {
  if (outcome.kind === 'delivered') return { status: 'DELIVERED' };
  if (outcome.kind !== 'retryable' || attempt.autoAttempts > waits.retries) {
    return { status: 'FAILED', lastError: outcome.error, deactivate: outcome.kind === 'gone' };
  }
  return {
    status: 'PENDING',
    lastError: outcome.error,
    delayMs: Math.max(waits.delayMs(attempt.autoAttempts), outcome.retryAfterMs),
  };
}

/**
 * The same after a probe of a circuit that is not closed. What fails then says something about the endpoint and nothing about
 * the delivery, which waits on as it did before: whatever the answer, unless it is that nothing is wanted any more, or the
 * template's. One that somebody asked for ends as it would without a circuit.
 */
export function probeStep(
  outcome: SendOutcome,
  attempt: { readonly trigger: AttemptTrigger; readonly autoAttempts: number },
  waits: RetryWaits,
): NextStep {
  const isOurs =
    outcome.kind !== 'blocked' && 'errorClass' in outcome && outcome.errorClass === 'template_error';
  if (outcome.kind === 'delivered' || outcome.kind === 'gone' || isOurs || attempt.trigger === 'manual') {
    return nextStep(outcome, attempt, waits);
  }
  return { status: 'PENDING', lastError: outcome.error, delayMs: 0, isFree: true };
}
