import { integerProblems, type FieldProblem } from '../../../platform/kernel/field-problem.js';

/** Hours that the previous secret goes on signing when nothing is said: time for receivers to be told the new one. */
export const DEFAULT_OVERLAP_HOURS = 24;
/** A week: an old secret that lives longer was not rotated. */
export const MAX_OVERLAP_HOURS = 168;

/** The same in seconds. */
export const MAX_OVERLAP_SECONDS = MAX_OVERLAP_HOURS * 3_600;

/** Checks an overlap in seconds. */
export function overlapSecondsProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  return integerProblems(value, path, 0, MAX_OVERLAP_SECONDS);
}

/** What is wrong with an overlap in hours, or null. 0 is a change at once. */
export function overlapProblem(hours: number): string | null {
  return Number.isFinite(hours) && hours >= 0 && hours <= MAX_OVERLAP_HOURS
    ? null
    : `Overlap must be a number of hours from 0 to ${MAX_OVERLAP_HOURS}`;
}
