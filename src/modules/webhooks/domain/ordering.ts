import type { FieldProblem } from '../../../platform/kernel/field-problem.js';

/** Whether an endpoint gets its events one after the other, in the order in which they were committed. */
export const ORDERINGS = ['unordered', 'fifo'] as const;

export type Ordering = (typeof ORDERINGS)[number];

export const DEFAULT_ORDERING: Ordering = 'unordered';

/** Characters of a key within which order is kept. */
export const MAX_ORDERING_KEY_LENGTH = 128;

/** What no key has: control characters, half characters. */
const UNUSABLE_IN_KEY = /[\p{Cc}\p{Cs}]/u;

/** Checks what somebody wants as an order; no problems: it is one. */
export function orderingProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  return ORDERINGS.some((ordering) => ordering === value)
    ? []
    : [{ path, msg: `Ordering must be ${ORDERINGS.map((one) => `"${one}"`).join(' or ')}` }];
}

/** Checks the key of an event. */
export function orderingKeyProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  const message = orderingKeyRefusal(value);
  return message === null ? [] : [{ path, msg: message }];
}

/** @returns null when it can be a key */
export function orderingKeyRefusal(value: unknown): string | null {
  // Code points, as JSON Schema counts.
  const length = typeof value === 'string' ? Array.from(value).length : 0;
  if (typeof value !== 'string' || length < 1 || length > MAX_ORDERING_KEY_LENGTH) {
    return `Ordering key must be 1 to ${MAX_ORDERING_KEY_LENGTH} characters`;
  }
  return UNUSABLE_IN_KEY.test(value)
    ? 'Ordering key must not contain control characters or half characters'
    : null;
}
