import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { jsonMembers } from './json-members.js';
import { anyText } from '../../../../test/support/any-text.js';

it.each<[string, [string, string][]]>([
  ['{}', []],
  [' { } ', []],
  ['{"a":1.10}', [['a', '1.10']]],
  [
    '{ "a" : 12345678901234567890 , "b" : { "c" : [1, {"d":"}"}] } , "e":"\\"," }',
    [
      ['a', '12345678901234567890'],
      ['b', '{ "c" : [1, {"d":"}"}] }'],
      ['e', '"\\","'],
    ],
  ],
  [
    '{"a:,}":null,"\\u0062":true}',
    [
      ['a:,}', 'null'],
      ['b', 'true'],
    ],
  ],
  ['{"a":1,"a":[2]}', [['a', '[2]']]],
  ['{"\\\\":"\\\\"}', [['\\', '"\\\\"']]],
])('of %s', (text, members) => {
  expect([...jsonMembers(text)]).toEqual(members);
});

it('are those that a parser finds, whatever the object', () => {
  fc.assert(
    fc.property(fc.dictionary(anyText(), fc.jsonValue()), fc.nat(3), (object, indent) => {
      const parsed = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
      const members = jsonMembers(JSON.stringify(object, null, indent));
      expect(new Map([...members].map(([name, value]) => [name, JSON.parse(value) as unknown]))).toEqual(
        new Map(Object.entries(parsed)),
      );
    }),
    { numRuns: 2_000 },
  );
});
