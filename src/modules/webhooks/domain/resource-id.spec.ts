import { describe, expect, it } from '@jest/globals';

import { timeBesideParsing } from '../../../../test/support/time-of-text.js';
import { MAX_RESOURCE_ID_LENGTH, resourceIdOf } from './resource-id.js';

describe('what an event is about', () => {
  it.each<[string, string | null]>([
    ['{"resource_id":"F-2026-0042","id":"other"}', 'F-2026-0042'],
    ['{"id":"F-1","resource_id":null}', 'F-1'],
    ['{"id":"0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22"}', '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22'],
    ['{"id":12345678901234567890}', '12345678901234567890'],
    ['{"id":"ma\\u00f1ana"}', 'mañana'],
    ['{"id":"other","resource_id":"F-1"}', 'F-1'],
    ['{"data":{"resource_id":"inner"},"id":"outer"}', 'outer'],
    ['{"text":"resource_id","id" : 7 }', '7'],
    ['{"a":["id",{"id":1}],"b":"id"}', null],
    [`{"id":${'1'.repeat(MAX_RESOURCE_ID_LENGTH + 1)}}`, null],
    // Below the top it is that of something else.
    ['{"data":{"resource_id":"inner","id":"inner"}}', null],
    ['{"text":"\\"resource_id\\""}', null],
    ['{"id":{"a":1}}', null],
    ['{"id":true}', null],
    ['{"id":""}', null],
    ['{"id":"a\\u0000b"}', null],
    ['{"id":"\\ud800"}', null],
    [`{"id":"${'x'.repeat(MAX_RESOURCE_ID_LENGTH)}"}`, 'x'.repeat(MAX_RESOURCE_ID_LENGTH)],
    [`{"id":"${'x'.repeat(MAX_RESOURCE_ID_LENGTH + 1)}"}`, null],
    ['{}', null],
  ])('%s: %s', (payload, expected) => {
    expect(resourceIdOf(payload)).toBe(expected);
  });

  it.each<[string, (pieces: number) => string]>([
    ['names that say nothing', (pieces) => `{${'"id":[],'.repeat(pieces)}"z":1}`],
    ['the better name at last', (pieces) => `{${'"id":1,'.repeat(pieces)}"resource_id":{}}`],
    ['names of others', (pieces) => `{${'"x":"",'.repeat(pieces)}"id":{}}`],
  ])('takes time by the length alone: %s', (_, textOf) => {
    expect(timeBesideParsing(resourceIdOf, textOf)).toBeLessThan(1);
  });
});
