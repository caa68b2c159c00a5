import { beforeAll, describe, expect, it } from '@jest/globals';

import { BUILT_IN_TYPES, EventCatalogue, EventTypeError } from '../../domain/event-types/event-catalogue.js';
import type { JsonSchema } from '../../domain/event-types/event-type.js';
import { AjvSchemaValidator } from './ajv-schema-validator.js';

const ALL_MISSING = ['event', 'resource_type', 'resource_id', 'timestamp', 'data', 'metadata'].map(
  (name) => ` must have required property '${name}'`,
);

const typeWith = (schema: JsonSchema) => ({ event: 'a.b', description: 'x', schema, example: {} });

describe('AjvSchemaValidator', () => {
  const validator = new AjvSchemaValidator();

  beforeAll(async () => {
    await validator.prepare(new EventCatalogue().all());
  });

  it.each(BUILT_IN_TYPES.map((type) => [type.event, type] as const))(
    'the example of %s fits its schema',
    (event, { example }) => {
      expect(validator.problems(event, JSON.stringify(example))).toEqual([]);
    },
  );

  const invoice = new EventCatalogue().find('invoice.paid')!.example;
  const { data } = invoice as { data: object };
  it.each<[string, object, string[]]>([
    ['more than it names', { ...invoice, more: 1, data: { ...data, more: 1 } }, []],
    ['nothing', {}, ALL_MISSING],
    ['another name', { ...invoice, event: 'invoice.sent' }, ['event must be equal to constant']],
    [
      'wrong values',
      { ...invoice, timestamp: 'now', data: { ...data, total_cents: 1.5, currency: 'eur' } },
      [
        'timestamp must match format "date-time"',
        'data/total_cents must be integer',
        'data/currency must match pattern "^[A-Z]{3}$"',
      ],
    ],
  ])('an event with %s', (_what, payload, problems) => {
    const found = validator.problems('invoice.paid', JSON.stringify(payload));
    expect(found.map(({ path, msg }) => `${path.join('/')} ${msg}`)).toEqual(problems);
  });

  it('finds nothing in a type that it does not know', () => {
    expect(validator.problems('made.up', '{}')).toEqual([]);
  });

  it.each<[string, JsonSchema]>([
    ['a keyword that there is not', { type: 'object', requird: ['id'] }],
    ['a type that there is not', { type: 'objekt' }],
    ['a reference to nothing', { $ref: '#/$defs/none' }],
  ])('refuses a schema with %s', async (_what, schema) => {
    await expect(new AjvSchemaValidator().prepare([typeWith(schema)])).rejects.toThrow(EventTypeError);
  });

  // Red when all problems of a long list are collected: half a million objects for one event.
  it('ends at the first problem of a long payload, and names fifty of a short one', async () => {
    const lists = new AjvSchemaValidator();
    await lists.prepare([typeWith({ type: 'object', properties: { a: { items: { type: 'string' } } } })]);
    const problemsOf = (count: number): number =>
      lists.problems('a.b', JSON.stringify({ a: Array.from({ length: count }, () => 1) })).length;
    expect(problemsOf(500_000)).toBe(1);
    expect(problemsOf(1_000)).toBe(50);
    expect(lists.problems('a.b', '{"a":["x",1]}')).toEqual([{ path: ['a', 1], msg: 'must be string' }]);
  });
});
