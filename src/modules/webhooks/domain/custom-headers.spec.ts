import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { headersProblems, isReservedHeader, isSecretHeader, shownHeaders } from './custom-headers.js';
import { anyText } from '../../../../test/support/any-text.js';

const VALUE_RULE = 'Header value must be 1-1024 printable ASCII characters without blanks around them';
const NAME_RULE = "Header name must be 1-64 letters, digits and any of !#$%&'*+-.^_`|~";

const found = (headers: unknown): [string, string][] =>
  headersProblems(headers, ['headers']).map(({ path, msg }) => [path.join('/'), msg]);

describe('headersProblems', () => {
  it.each([
    {},
    { 'X-Tenant': 'acme' },
    { Authorization: 'Bearer abc' },
    { 'X-A': 'a  b', 'X-B': '***' },
    { ['x'.repeat(64)]: 'v'.repeat(1_024) },
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`X-${n}`, 'v'])),
    JSON.parse('{"__proto__":"v","constructor":"v"}') as object,
  ])('takes %j', (headers) => {
    expect(found(headers)).toEqual([]);
  });

  it.each([
    'Host',
    'content-type',
    'Content-Anything',
    'Transfer-Encoding',
    'Connection',
    'TE',
    'Proxy-Authorization',
    'User-Agent',
    'X-Event',
    'x-signature',
    'X-Signature-Previous',
    'X-Delivery-Id',
    'X-Delivery-Ids',
    'X-Webhook-JWT',
    'Webhook-Id',
    'webhook-anything',
  ])('keeps %s for itself', (name) => {
    expect(found({ [name]: 'v' })).toEqual([[`headers/${name}`, 'Reserved header']]);
  });

  it.each<[unknown, [string, string][]]>([
    ['X-A: b', [['headers', 'headers must be an object of names and values']]],
    [[['X-A', 'b']], [['headers', 'headers must be an object of names and values']]],
    [{ 'X-A': 'a', 'x-a': 'b' }, [['headers/x-a', 'Duplicate header']]],
    [{ '': 'a' }, [['headers/', NAME_RULE]]],
    [
      { 'X A': 'a', 'X:A': 'b' },
      [
        ['headers/X A', NAME_RULE],
        ['headers/X:A', NAME_RULE],
      ],
    ],
    [{ ['x'.repeat(65)]: 'v' }, [[`headers/${'x'.repeat(64)}`, NAME_RULE]]],
    [{ 'X-A': '' }, [['headers/X-A', VALUE_RULE]]],
    [{ 'X-A': 'a\r\nHost: b' }, [['headers/X-A', VALUE_RULE]]],
    [{ 'X-A': 'a\u0000' }, [['headers/X-A', VALUE_RULE]]],
    [{ 'X-A': 'ñ' }, [['headers/X-A', VALUE_RULE]]],
    [{ 'X-A': ' a' }, [['headers/X-A', VALUE_RULE]]],
    [{ 'X-A': 'a ' }, [['headers/X-A', VALUE_RULE]]],
    [
      { 'X-A': 5, 'X-B': null },
      [
        ['headers/X-A', VALUE_RULE],
        ['headers/X-B', VALUE_RULE],
      ],
    ],
    [{ 'X-A': 'v'.repeat(1_025) }, [['headers/X-A', VALUE_RULE]]],
    [
      Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`X-${n}`, 'v'])),
      [['headers', 'At most 20 headers']],
    ],
    [
      Object.fromEntries(Array.from({ length: 4 }, (_, n) => [`X-${n}`, 'v'.repeat(1_024)])),
      [['headers', 'Headers must be at most 4096 bytes in all']],
    ],
  ])('refuses %j', (headers, problems) => {
    expect(found(headers)).toEqual(problems);
  });

  it('takes nothing that could end a line or a header, whatever it is', () => {
    fc.assert(
      fc.property(fc.dictionary(anyText({ maxLength: 8 }), anyText({ maxLength: 8 })), (headers) => {
        if (found(headers).length > 0) return;
        for (const [name, value] of Object.entries(headers)) {
          expect(name).not.toMatch(/[^\x21-\x7e]|:/);
          expect(value).not.toMatch(/[^\x20-\x7e]/);
          expect(isReservedHeader(name)).toBe(false);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('secret headers', () => {
  it.each([
    ['Authorization', true],
    ['authorization', true],
    ['Cookie', true],
    ['X-Api-Key', true],
    ['X-AUTH-TOKEN', true],
    ['My-Secret-Thing', true],
    ['X-Tenant', false],
    ['X-Authorization-Mode', false],
    ['Accept', false],
  ])('%s: %s', (name, isSecret) => {
    expect(isSecretHeader(name)).toBe(isSecret);
  });

  it('are shown masked, the others as they are', () => {
    const headers = [
      { name: 'X-Tenant', value: 'acme' },
      { name: 'Authorization', value: null },
    ];
    expect(shownHeaders(headers)).toEqual({ 'X-Tenant': 'acme', Authorization: '***' });
  });
});
