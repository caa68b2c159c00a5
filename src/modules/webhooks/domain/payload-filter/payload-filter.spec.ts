import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { FILTER_CASES } from './filter-cases.js';
import { filterProblems, letsThrough, PayloadFilter, payloadOf } from './payload-filter.js';

describe('a filter', () => {
  it.each(FILTER_CASES)('of %s by %s: %s', (payload, filter, matches) => {
    expect(filterProblems(filter, ['filter'])).toEqual([]);
    expect(new PayloadFilter(filter).judge(payloadOf(payload))).toBe(matches ? 'matches' : 'differs');
  });

  it('takes a depth that no stack would', () => {
    const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)},"b":${'{"c":'.repeat(100_000)}1${'}'.repeat(100_000)},"n":7}`;
    const payload = payloadOf(deep);
    expect(new PayloadFilter('{"n":7,"b.c.c":{"$exists":true}}').judge(payload)).toBe('matches');
    expect(new PayloadFilter('{"a":[[1]]}').judge(payload)).toBe('differs');
  });

  // Red when each condition looks through the payload again: fifty times as long and more.
  it('costs what the payload is long, not that times the conditions', () => {
    const members = Array.from({ length: 20_000 }, (_unused, n) => `"k${n}":{"v":${n}}`);
    const text = `{${members.join(',')}}`;
    const timeOf = (conditions: number): number => {
      const wanted = Array.from({ length: conditions }, (_unused, n) => `"k${n * 199}.v":${n * 199}`);
      const filter = new PayloadFilter(`{${wanted.join(',')}}`);
      const times = [1, 2, 3].map(() => {
        const started = performance.now();
        expect(filter.judge(payloadOf(text))).toBe('matches');
        return performance.now() - started;
      });
      return Math.min(...times);
    };
    expect(timeOf(100)).toBeLessThan(20 * timeOf(1));
  });

  it.each([
    ['{"list.v":-1}', `{"list":[${Array.from({ length: 60_000 }, () => '{"v":1}').join(',')}]}`],
    ['{"list":-1}', `{"list":[${'1,'.repeat(120_000)}1]}`],
    ['{"$or":[{"list":-2},{"list":{"$in":[-3]}}]}', `{"list":[${'1,'.repeat(60_000)}1]}`],
  ])('is given up when it looks at too much: %s', (filter, payload) => {
    expect(new PayloadFilter(filter).judge(payloadOf(payload))).toBe('unevaluated');
    expect(letsThrough(filter, payloadOf(payload))).toBe(true);
  });

  it('says the same whatever was asked of the payload before', () => {
    const payload = payloadOf(`{"list":[${Array.from({ length: 60_000 }, () => '{"v":1}').join(',')}]}`);
    const filter = new PayloadFilter('{"list.v":-1}');
    expect([filter.judge(payload), filter.judge(payload)]).toEqual(['unevaluated', 'unevaluated']);
  });

  it.each(['', 'x', '[]', '1', 'null', '{"a":{"$from_the_future":1}}', '{"$or":[]}'])(
    'that cannot be read lets everything through: %s',
    (stored) => {
      const filter = new PayloadFilter(stored);
      expect(filter.isReadable).toBe(false);
      expect(filter.judge(payloadOf('{"a":1}'))).toBe('unevaluated');
      expect(letsThrough(stored, payloadOf('{"a":1}'))).toBe(true);
    },
  );

  it('is not asked where there is none', () => {
    expect(letsThrough(null, payloadOf('{"a":1}'))).toBe(true);
    expect(letsThrough('{"a":2}', payloadOf('{"a":1}'))).toBe(false);
  });

  it('agrees with JavaScript where JavaScript is exact', () => {
    const value = fc.oneof(
      fc.integer({ min: -9, max: 9 }),
      fc.constantFrom('a', 'b', 'ab', ''),
      fc.boolean(),
      fc.constant(null),
    );
    const orders = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const;
    fc.assert(
      fc.property(
        value,
        value,
        fc.constantFrom(...(Object.keys(orders) as (keyof typeof orders)[])),
        (a, b, order) => {
          const judge = (filter: object): string =>
            new PayloadFilter(JSON.stringify(filter)).judge(payloadOf(JSON.stringify({ a })));
          expect(judge({ a: b })).toBe(a === b ? 'matches' : 'differs');
          expect(judge({ a: { $ne: b } })).toBe(a === b ? 'differs' : 'matches');
          if (typeof b !== 'number' && typeof b !== 'string') return;
          const isOf = typeof a === typeof b && a !== null;
          const holds = { $gt: a! > b, $gte: a! >= b, $lt: a! < b, $lte: a! <= b }[order];
          expect(judge({ a: { [order]: b } })).toBe(isOf && holds ? 'matches' : 'differs');
        },
      ),
      { numRuns: 2_000, seed: 20261126 },
    );
  });
});

describe('notes on types', () => {
  it.each<[string, string, string[]]>([
    ['{"total":"150.00"}', '{"total":{"$gte":100}}', ['total is a string, $gte compares with a number']],
    ['{"a":"null"}', '{"a":null}', ['a is a string, $eq compares with null']],
    ['{"a":true}', '{"a":{"$startsWith":"t"}}', ['a is a boolean, $startsWith compares with a string']],
    ['{"a":{"b":1}}', '{"a":{"$in":[1,"x"]}}', ['a is an object, $in compares with a number or a string']],
    ['{"a":1,"b":"x"}', '{"$or":[{"a":2},{"$not":{"b":3}}]}', ['b is a string, $eq compares with a number']],
    ['{"a":false}', '{"a":true}', []],
    ['{"a":[1]}', '{"a":"x"}', []],
    ['{}', '{"a":"x"}', []],
    ['{"a":1}', '{"a":{"$exists":false}}', []],
    ['{"a":1}', 'no filter', []],
  ])('of %s by %s', (payload, filter, notes) => {
    expect(new PayloadFilter(filter).notes(payloadOf(payload))).toEqual(notes);
  });
});
