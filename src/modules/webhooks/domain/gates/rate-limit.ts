import {
  integerProblems,
  unknownField,
  type FieldProblem,
} from '../../../../platform/kernel/field-problem.js';

/** At most `max` requests in `perSeconds`, evenly: {100, 10} is the same as {10, 1}. */
export interface RateLimit {
  readonly max: number;
  readonly perSeconds: number;
}

/** Bounds of a rate limit; an endpoint that can take more than 1,000 a second needs none. */
export const MAX_RATE = 1_000;
export const MAX_RATE_SECONDS = 3_600;

/** Checks what somebody wants as a rate limit, in the form of the API. */
export function rateLimitProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path, msg: 'Rate limit must be an object with max and per_seconds' }];
  }
  const { max, per_seconds: perSeconds, ...others } = value as Readonly<Record<string, unknown>>;
  return [
    ...integerProblems(max, [...path, 'max'], 1, MAX_RATE),
    ...integerProblems(perSeconds, [...path, 'per_seconds'], 1, MAX_RATE_SECONDS),
    ...Object.keys(others).map((name) => unknownField(name, path)),
  ];
}
