import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { filterProblems, PayloadFilter, payloadOf } from './payload-filter.js';
import { anyText } from '../../../../../test/support/any-text.js';

const problems = (filter: string): [string, string][] =>
  filterProblems(filter, ['filter']).map(({ path, msg }) => [path.slice(1).join('/'), msg]);

describe('filterProblems', () => {
  it.each<[string, [string, string][]]>([
    ['[]', [['', 'Filter must be an object']]],
    ['"x"', [['', 'Filter must be an object']]],
    ['{"total":{"$regex":"x"}}', [['total/$regex', 'Unknown operator "$regex" at total']]],
    ['{"$where":1}', [['$where', 'Unknown operator "$where" at filter']]],
    ['{"$gt":1}', [['$gt', '$gt must stand under a field, such as {"total":{"$gt": …}}']]],
    ['{"a":{"$or":[1]}}', [['a/$or', '$or at a must stand at the top or within $and, $or, $not']]],
    ['{"$or":[]}', [['$or', '$or must have at least one filter: none would match nothing']]],
    ['{"$and":{"a":1}}', [['$and', '$and must be a list of filters']]],
    ['{"$or":[{"a":1},2]}', [['$or', '$or must be a list of filters']]],
    ['{"$not":[{"a":1}]}', [['$not', '$not must be a filter']]],
    ['{"a":{"$not":1}}', [['a/$not', 'a.$not must be an object of operators']]],
    ['{"a":{"$in":[]}}', [['a/$in', 'a.$in must have at least one value: none would match nothing']]],
    ['{"a":{"$nin":1}}', [['a/$nin', 'a.$nin must be a list of values']]],
    ['{"a":{"$exists":1}}', [['a/$exists', 'a.$exists must be true or false']]],
    ['{"a":{"$gte":null}}', [['a/$gte', 'a.$gte must be a number or a string']]],
    ['{"a":{"$endsWith":1}}', [['a/$endsWith', 'a.$endsWith must be a string']]],
    ['{"a":{}}', [['a', 'a must have an operator']]],
    [
      '{"a":{"b":1}}',
      [['a/b', 'a must hold operators: write "a.b" for a field within, or $eq to compare whole objects']],
    ],
    ['{"a..b":1}', [['a..b', 'The path "a..b" has an empty name']]],
    ['{"":1}', [['', 'The path "" has an empty name']]],
    ['{"a":1,"a":2}', [['a', '"a" stands twice at filter']]],
    ['{"a":{"$gt":1,"$gt":2}}', [['a/$gt', '"$gt" stands twice at a']]],
    [
      '{"a":{"$x":1},"$or":[{"b":{"$gt":true}},{"$y":1}],"c":{"$in":[]}}',
      [
        ['a/$x', 'Unknown operator "$x" at a'],
        ['$or/0/b/$gt', '$or[0].b.$gt must be a number or a string'],
        ['$or/1/$y', 'Unknown operator "$y" at $or[1]'],
        ['c/$in', 'c.$in must have at least one value: none would match nothing'],
      ],
    ],
  ])('of %s', (filter, expected) => {
    expect(problems(filter)).toEqual(expected);
  });

  const conditions = (count: number): string =>
    `{${Array.from({ length: count }, (_unused, n) => `"a${n}":1`).join(',')}}`;
  const values = (count: number): string =>
    `{"a":{"$in":[${Array.from({ length: count - 1 }, (_unused, n) => n).join(',')}],"$nin":["x"]}}`;
  const nested = (depth: number): string => `${'{"$not":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
  const long = (bytes: number): string => `{"a":"${'ñ'.repeat((bytes - 8) / 2)}"}`;
  const path = (names: number): string => `{"${Array.from({ length: names }, () => 'a').join('.')}":1}`;

  it.each<[string, string, string, string]>([
    ['conditions', conditions(100), conditions(101), 'Filter must have at most 100 conditions'],
    ['values', values(200), values(201), 'Filter must have at most 200 values in its lists'],
    ['depth', nested(8), nested(9), 'Filter must be nested at most 8 deep'],
    ['bytes', long(16_384), long(16_386), 'Filter must be at most 16384 bytes'],
    ['names', path(20), path(21), `The path ${JSON.stringify(path(21).slice(2, -4))} has more than 20 names`],
  ])('bounds %s', (_what, most, more, msg) => {
    expect(problems(most)).toEqual([]);
    expect(problems(more).map(([, message]) => message)).toEqual([msg]);
  });

  it('lists fifty at most, and shows names cut', () => {
    const many = Array.from({ length: 60 }, (_unused, n) => `"a${n}":{"$x":1}`);
    expect(problems(`{${many.join(',')}}`)).toHaveLength(50);
    const [[, msg] = ['', '']] = problems(`{"$${'x'.repeat(500)}":1}`);
    expect(msg.length).toBeLessThan(160);
  });

  it('is total: any JSON is a filter or has a problem, and a filter judges any payload', () => {
    const name = fc.oneof(
      fc.constantFrom(
        '$eq',
        '$ne',
        '$gt',
        '$lte',
        '$in',
        '$nin',
        '$exists',
        '$not',
        '$and',
        '$or',
        '$startsWith',
        'a',
        'a.b',
        'a.0',
        '__proto__',
        '',
      ),
      anyText({ maxLength: 4 }),
    );
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, true, 0, -1.5, 'a', '\ud800', '\u0000'),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(name, tie('any'), { maxKeys: 3 }),
      ),
    }));
    let filters = 0;
    fc.assert(
      fc.property(any, any, (wish, payload) => {
        const text = JSON.stringify(wish);
        const filter = new PayloadFilter(text);
        expect(filter.isReadable).toBe(problems(text).length === 0);
        if (filter.isReadable) filters += 1;
        const document = payloadOf(JSON.stringify({ a: payload }));
        expect(filter.judge(document) === 'unevaluated').toBe(!filter.isReadable);
        filter.notes(document);
      }),
      { numRuns: 5_000, seed: 20261126 },
    );
    expect(filters).toBeGreaterThan(50);
  });
});
