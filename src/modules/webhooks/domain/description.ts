import { pathText, type FieldProblem } from '../../../platform/kernel/field-problem.js';

/** What a tenant writes about a subscription, in characters. */
export const MAX_DESCRIPTION_LENGTH = 500;

/** Line breaks and tabs are text; other control characters and half characters cannot be stored or shown. */
const UNUSABLE = /[^\P{Cc}\n\r\t]|\p{Cs}/u;

/** Checks what somebody wants as a description. */
export function descriptionProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value !== 'string') return [{ path, msg: `${pathText(path)} must be a string` }];
  // Code points, as JSON Schema counts.
  if (Array.from(value).length > MAX_DESCRIPTION_LENGTH) return [{ path, msg: 'Too long' }];
  return UNUSABLE.test(value)
    ? [{ path, msg: 'Description must not contain control characters or half characters' }]
    : [];
}
