import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { timeBesideParsing } from '../../../test/support/time-of-text.js';
import { extractProperty, jsonDepth } from './raw-json.js';

const LONG: Readonly<Record<string, (pieces: number) => string>> = {
  'small arrays': (pieces) => `{"payload":{"a":[${'[1],'.repeat(pieces)}1]}}`,
  'short names': (pieces) =>
    `{"payload":{${Array.from({ length: pieces }, (_, n) => `"${n.toString(36)}":1`).join(',')}}}`,
  escapes: (pieces) => `{"payload":{"a":[${'"\\u0041",'.repeat(pieces)}1]}}`,
  spaces: (pieces) => `{"payload":{"a":[${'1 , '.repeat(pieces)}1]}}`,
  'one text of quotes': (pieces) => `{"payload":{"a":"${'\\"'.repeat(pieces)}"}}`,
  'the name again and again': (pieces) => `{${'"payload":[],'.repeat(pieces)}"b":1}`,
};

// First in its file: how V8 compiles a walk depends on what it has seen of it.
describe.each([
  ['extractProperty', (text: string) => extractProperty(text, 'payload')],
  ['jsonDepth', jsonDepth],
] as const)('the time that %s takes', (_, walk) => {
  it.each(Object.entries(LONG))('grows with the length alone: %s', (__, textOf) => {
    expect(timeBesideParsing(walk, textOf)).toBeLessThan(1);
  });
});

describe('extractProperty', () => {
  it.each([
    ['{"event":"a","payload":{"z":1,"a":2}}', '{"z":1,"a":2}'],
    ['{"payload":{"10":1,"9":2,"b":3}}', '{"10":1,"9":2,"b":3}'],
    ['{ "payload" : { "a" : [ 1.0 , 1e3 , -0 ] } }', '{"a":[1.0,1e3,-0]}'],
    ['{"payload":{"n":12345678901234567890.10}}', '{"n":12345678901234567890.10}'],
    ['{"payload":{"t":"a b\\u0041\\n"}}', '{"t":"a bA\\n"}'],
    ['{"x":{"payload":1},"payload":{"y":{"payload":2}}}', '{"y":{"payload":2}}'],
    ['{"payload":1,"payload":{"last":true}}', '{"last":true}'],
    ['{"pay\\u006coad":{"a":1}}', '{"a":1}'],
    ['{"payload":null}', 'null'],
    ['{"other":{"payload":1}}', undefined],
    ['{}', undefined],
    ['[{"payload":1}]', undefined],
  ])('of %s', (json, value) => {
    expect(extractProperty(json, 'payload')).toBe(value);
  });

  it('means the same as what JSON.parse reads, for any value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
        const json = JSON.stringify({ other, payload: value, more: [other] }, null, 2);
        const text = extractProperty(json, 'payload');
        expect(JSON.parse(text ?? 'undefined')).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('jsonDepth', () => {
  it.each([
    ['1', 0],
    ['{}', 1],
    ['[[[]]]', 3],
    ['{"a":[{"b":1}],"c":{}}', 3],
    ['"[[[["', 0],
    ['{"a":"\\"[[["}', 1],
    ['['.repeat(10_000), 10_000],
  ])('of %.20s… is %i', (json, depth) => {
    expect(jsonDepth(json)).toBe(depth);
  });
});
