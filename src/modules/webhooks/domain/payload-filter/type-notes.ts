import type { Condition, FieldTest, Payload, Test } from './condition.js';
import type { JsonKind } from '../json-document.js';

const MAX_NOTES = 10;
const MAX_SHOWN = 100;

const NAMES: Readonly<Record<JsonKind, string>> = {
  ...{ object: 'an object', array: 'a list', string: 'a string', number: 'a number' },
  ...{ true: 'a boolean', false: 'a boolean', null: 'null' },
};

/** Where a filter and a payload have values of different types under a path, in words. Nothing is converted to the other. */
export function typeNotes(condition: Condition, payload: Payload): string[] {
  const notes = new Set<string>();
  for (const test of fieldTests(condition)) {
    if (notes.size >= MAX_NOTES) break;
    const note = noteOf(test, payload);
    if (note !== null) notes.add(note);
  }
  return [...notes];
}

function fieldTests(condition: Condition): FieldTest[] {
  if (condition.kind === 'field') return [condition];
  return condition.kind === 'not' ? fieldTests(condition.of) : condition.of.flatMap(fieldTests);
}

function noteOf(field: FieldTest, payload: Payload): string | null {
  const { path, operator, test } = field;
  const wanted = wantedTypes(test);
  if (wanted.length === 0) return null;
  const kinds = new Set(payload.under(field).places.map((at) => payload.document.kindAt(at)));
  const [only] = kinds;
  // Of lists an element may fit, and of several kinds one.
  if (kinds.size !== 1 || only === undefined || only === 'array') return null;
  if (wanted.includes(typeOf(only))) return null;
  const shown = path.length > MAX_SHOWN ? `${path.slice(0, MAX_SHOWN)}…` : path;
  return `${shown} is ${NAMES[only]}, ${operator} compares with ${wanted.map((type) => NAMES[type]).join(' or ')}`;
}

/** True and false are values of one type. */
function typeOf(kind: JsonKind): JsonKind {
  return kind === 'false' ? 'true' : kind;
}

/** Empty: values of any type may fit. */
function wantedTypes(test: Test): JsonKind[] {
  switch (test.kind) {
    case 'exists':
      return [];
    case 'edge':
      return ['string'];
    case 'order':
      return [test.than.document.kindAt(test.than.at)];
    case 'one_of': {
      const scalars = [...test.scalars].map(typeOfKey);
      const others = test.others.map(({ document, at }) => document.kindAt(at));
      return [...new Set([...scalars, ...others])];
    }
  }
}

function typeOfKey(key: string): JsonKind {
  if (key.startsWith('"')) return 'string';
  if (key === 'null') return 'null';
  return key === 'true' || key === 'false' ? 'true' : 'number';
}
