import { domainToUnicode } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { checkTargetUrl } from './target-url.js';

function verdictOn(raw: string): string {
  const verdict = checkTargetUrl(raw, {
    insecure: 'false',
    ownHosts: [],
    classifyAddress: () => null,
    unicodeHostOf: domainToUnicode,
  });
  return verdict.ok ? verdict.text : verdict.code;
}

describe('the text of a target', () => {
  it.each([
    ['https://customer.com', 'https://customer.com/'],
    ['https://customer.com?a=1', 'https://customer.com/?a=1'],
    ['HTTPS://Hooks.CUSTOMER.com:443/In', 'https://hooks.customer.com/In'],
    ['https://customer.com:08443/x', 'https://customer.com:8443/x'],
    ['https://customer.com./x', 'https://customer.com./x'],
    ['https://[2A00:1450:4009:0:0:0:0:200E]/x', 'https://[2a00:1450:4009::200e]/x'],
    ['https://münchen.de/x', 'https://xn--mnchen-3ya.de/x'],
    ['https://BÜCHER.Customer.com/x', 'https://xn--bcher-kva.customer.com/x'],
    ['https://straße.de/x', 'https://xn--strae-oqa.de/x'],
    ['https://例え.jp/x', 'https://xn--r8jz45g.jp/x'],
    ['https://XN--mnchen-3YA.de/x', 'https://xn--mnchen-3ya.de/x'],
    ['https://customer.com/é?q=€😀', 'https://customer.com/%C3%A9?q=%E2%82%AC%F0%9F%98%80'],
  ])('%s is %s', (raw, text) => expect(verdictOn(raw)).toBe(text));

  it.each([
    '/',
    '//a//b/',
    '/a.b/..c/d../...',
    '/%2E%2Ea/%00/%zz/%',
    '/a;b=1,2:3@4!$&*+~(5)',
    "/it's",
    '/[x]|y',
    '/?',
    '/?a=%27&b=/../c&d={}[]|^`;:@!$*+,?',
    '/??',
  ])('%s goes as it stands, unless it ends in an empty query', (rest) => {
    const raw = `https://customer.com${rest}`;
    expect(verdictOn(raw)).toBe(rest === '/?' ? 'empty-query' : raw);
  });

  it.each([
    ['/a/../b', 'dot-segment'],
    ['/a/%2e%2e/b', 'dot-segment'],
    ['/a/.%2E/b', 'dot-segment'],
    ['/a/./b', 'dot-segment'],
    ['/..', 'dot-segment'],
    ['/a/%2E?x', 'dot-segment'],
    ['?', 'empty-query'],
    ["/?sig='x'", 'unencoded'],
    ['/{id}', 'unencoded'],
    ['/a^b', 'unencoded'],
    ['/a`b', 'unencoded'],
    ['/a"b', 'unencoded'],
    ['/?a=<b>', 'unencoded'],
    ['/a\\b', 'control-or-space-or-backslash'],
    ['/a\tb', 'control-or-space-or-backslash'],
    ['/a b', 'control-or-space-or-backslash'],
    ['/a#b', 'fragment'],
    [`/${'本'.repeat(300)}`, 'too-long'],
  ])('%j is refused as %s', (rest, code) => expect(verdictOn(`https://customer.com${rest}`)).toBe(code));

  it.each([
    'ⓔⓧⓐⓜⓟⓛⓔ.ⓒⓞⓜ',
    'ｃustomer.com',
    'customer。com',
    'cuﬆomer.com',
    '\u212Aunde.com',
    'cu\u017Ftomer.com',
    'customer.㏇om',
    'bu\u0308cher.com',
    '½.com',
    'ｱ.com',
  ])('the host %s would be another one', (host) => {
    expect(['mapped-host', 'unparseable']).toContain(verdictOn(`https://${host}/`));
  });

  it('says what to write instead', () => {
    const verdict = checkTargetUrl("https://customer.com/?sig='x'", {
      insecure: 'false',
      ownHosts: [],
      classifyAddress: () => null,
      unicodeHostOf: domainToUnicode,
    });
    expect(verdict).toMatchObject({ message: "URL must have %27 in place of '" });
  });
});
