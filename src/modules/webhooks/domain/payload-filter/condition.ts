import { compareCodePoints, endsWithPoints, startsWithPoints } from './code-points.js';
import { compareNumbers, exactNumber, numberKey } from './exact-number.js';
import { valuesUnder, type FoundValues } from './field-path.js';
import type { JsonDocument } from '../json-document.js';

/** A value of a filter, or of a payload. */
export interface JsonValue {
  readonly document: JsonDocument;
  readonly at: number;
}

export const ORDERS = ['$gt', '$gte', '$lt', '$lte'] as const;
export const EDGES = ['$startsWith', '$endsWith'] as const;
export type Order = (typeof ORDERS)[number];
export type Edge = (typeof EDGES)[number];

/** What one value of a payload has to be. */
export type Test =
  | { readonly kind: 'one_of'; readonly scalars: ReadonlySet<string>; readonly others: readonly JsonValue[] }
  | { readonly kind: 'order'; readonly operator: Order; readonly than: JsonValue }
  | { readonly kind: 'edge'; readonly operator: Edge; readonly text: string }
  | { readonly kind: 'exists' };

/** A field under a path: it fits when one of its values does, or one element of a list that is its value. */
export interface FieldTest {
  readonly kind: 'field';
  /** As it was written. */
  readonly path: string;
  readonly names: readonly string[];
  readonly operator: string;
  readonly test: Test;
}

export type Condition =
  | FieldTest
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition };

/** Steps that a judgement may still take; below 0 it has been given up and its answer means nothing. */
export interface Steps {
  left: number;
}

/** A payload, with what was found under the paths that were asked about before: many filters look at the same ones. */
export class Payload {
  private readonly found = new Map<string, FoundValues>();

  constructor(readonly document: JsonDocument) {}

  under({ path, names }: Pick<FieldTest, 'path' | 'names'>): FoundValues {
    const known = this.found.get(path);
    if (known !== undefined) return known;
    const found = valuesUnder(this.document, names);
    this.found.set(path, found);
    return found;
  }
}

export function fits(condition: Condition, payload: Payload, steps: Steps): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((one) => fits(one, payload, steps));
    case 'any':
      return condition.of.some((one) => fits(one, payload, steps));
    case 'not':
      return !fits(condition.of, payload, steps);
    case 'field':
      return fitsField(condition, payload, steps);
  }
}

/* What was found before costs the same again, so that a judgement depends on the filter and the payload alone. */
function fitsField(field: FieldTest, payload: Payload, steps: Steps): boolean {
  if (steps.left < 0) return false;
  const { places, steps: taken } = payload.under(field);
  steps.left -= taken;
  const { document } = payload;
  return places.some((at) => steps.left >= 0 && fitsSomewhere(field.test, { document, at }, steps));
}

/** The value itself, or one of its elements: of a list within a list only the list itself. */
function fitsSomewhere(test: Test, value: JsonValue, steps: Steps): boolean {
  if (fitsValue(test, value, steps)) return true;
  const { document, at } = value;
  if (document.kindAt(at) !== 'array') return false;
  return document.items(at).some((item) => steps.left >= 0 && fitsValue(test, { document, at: item }, steps));
}

function fitsValue(test: Test, value: JsonValue, steps: Steps): boolean {
  steps.left -= 1;
  switch (test.kind) {
    case 'exists':
      return true;
    case 'one_of': {
      const key = scalarKey(value, steps);
      return key === null ? test.others.some((other) => isSame(value, other, steps)) : test.scalars.has(key);
    }
    case 'order': {
      const comparison = compare(value, test.than, steps);
      return comparison !== null && holds(test.operator, comparison);
    }
    case 'edge': {
      const { document, at } = value;
      if (document.kindAt(at) !== 'string') return false;
      const text = document.stringAt(at);
      return test.operator === '$startsWith'
        ? startsWithPoints(text, test.text)
        : endsWithPoints(text, test.text);
    }
  }
}

function holds(operator: Order, comparison: number): boolean {
  switch (operator) {
    case '$gt':
      return comparison > 0;
    case '$gte':
      return comparison >= 0;
    case '$lt':
      return comparison < 0;
    case '$lte':
      return comparison <= 0;
  }
}

/** Null: they are not of one kind, or of a kind without an order. */
function compare(a: JsonValue, b: JsonValue, steps: Steps): number | null {
  const kind = a.document.kindAt(a.at);
  if (kind !== b.document.kindAt(b.at)) return null;
  if (kind === 'number') return compareNumbers(numberOf(a, steps), numberOf(b, steps));
  if (kind !== 'string') return null;
  return compareCodePoints(a.document.stringAt(a.at), b.document.stringAt(b.at));
}

/** The same text for the same value; null: it is an object or an array. */
export function scalarKey(value: JsonValue, steps: Steps): string | null {
  const { document, at } = value;
  const kind = document.kindAt(at);
  if (kind === 'object' || kind === 'array') return null;
  if (kind === 'string') return `"${document.stringAt(at)}`;
  return kind === 'number' ? numberKey(numberOf(value, steps)) : kind;
}

function numberOf({ document, at }: JsonValue, steps: Steps): ReturnType<typeof exactNumber> {
  const text = document.textAt(at);
  steps.left -= Math.floor(text.length / 1_000);
  return exactNumber(text);
}

/** Goes as deep as both of them do, and the filter's own value is not deep. The order of names means nothing. */
function isSame(a: JsonValue, b: JsonValue, steps: Steps): boolean {
  steps.left -= 1;
  if (steps.left < 0) return false;
  const kind = a.document.kindAt(a.at);
  if (kind !== b.document.kindAt(b.at)) return false;
  if (kind === 'array') {
    const [left, right] = [a.document.items(a.at), b.document.items(b.at)];
    return (
      left.length === right.length &&
      left.every((at, n) =>
        isSame({ document: a.document, at }, { document: b.document, at: right[n] ?? 0 }, steps),
      )
    );
  }
  if (kind !== 'object') return scalarKey(a, steps) === scalarKey(b, steps);
  const [left, right] = [a.document.members(a.at), b.document.members(b.at)];
  if (left.size !== right.size) return false;
  for (const [name, at] of left) {
    const other = right.get(name);
    if (other === undefined) return false;
    if (!isSame({ document: a.document, at }, { document: b.document, at: other }, steps)) return false;
  }
  return true;
}
