import type { FieldProblem } from '../../../../platform/kernel/field-problem.js';
import { fits, Payload, type Condition } from './condition.js';
import { JsonDocument } from '../json-document.js';
import { readFilter } from './read-filter.js';
import { typeNotes } from './type-notes.js';

/**
 * `unevaluated`: the filter cannot be read, or would take too many steps. Such an event is sent: one too many is seen, one
 * that is missing is not.
 */
export type FilterVerdict = 'matches' | 'differs' | 'unevaluated';

/** Values of one payload that one filter may look at: some milliseconds, whatever a tenant writes. */
export const MAX_FILTER_STEPS = 100_000;

/** What a subscription wants of the payloads of its events. */
export class PayloadFilter {
  private readonly condition: Condition | null;

  /** @param text as it is stored; one that cannot be read evaluates nothing */
  constructor(text: string) {
    this.condition = conditionOf(text);
  }

  get isReadable(): boolean {
    return this.condition !== null;
  }

  judge(payload: Payload): FilterVerdict {
    if (this.condition === null) return 'unevaluated';
    const steps = { left: MAX_FILTER_STEPS };
    const isFit = fits(this.condition, payload, steps);
    if (steps.left < 0) return 'unevaluated';
    return isFit ? 'matches' : 'differs';
  }

  /** Comparisons that can never hold for this payload, because one side is text and the other a number, for instance. */
  notes(payload: Payload): string[] {
    return this.condition === null ? [] : typeNotes(this.condition, payload);
  }
}

/** Every problem of a filter. @param text valid JSON */
export function filterProblems(text: string, path: readonly (string | number)[]): readonly FieldProblem[] {
  return readFilter(text, path).problems;
}

/** @param text a JSON object */
export function payloadOf(text: string): Payload {
  return new Payload(new JsonDocument(text));
}

/** Whether a subscription gets an event. @param filter null: it wants every payload */
export function letsThrough(filter: string | null, payload: Payload): boolean {
  return filter === null || new PayloadFilter(filter).judge(payload) !== 'differs';
}

/** Null: it is not JSON, or not a filter, or one with operators of a version to come. */
function conditionOf(text: string): Condition | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  const { condition, problems } = readFilter(text, ['filter']);
  return problems.length > 0 ? null : condition;
}
