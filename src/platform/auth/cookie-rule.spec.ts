import { describe, expect, it } from '@jest/globals';

import { mayUseCookie, type CookieRequest } from './cookie-rule.js';

const HOST = 'hooks.customer.com';
const OWN = 'https://hooks.customer.com';
const read: CookieRequest = { method: 'GET', host: HOST };
const change: CookieRequest = { method: 'POST', host: HOST, origin: OWN, panel: '1' };

/** What a request brings, whether its cookie counts, and why. */
const CASES: readonly (readonly [what: string, request: CookieRequest, counts: boolean])[] = [
  ['a look, by a browser that says nothing of where it comes from', read, true],
  ['a look from our page', { ...read, origin: OWN, fetchSite: 'same-origin' }, true],
  ['a look that somebody typed', { ...read, fetchSite: 'none' }, true],
  ['a look with HEAD', { ...read, method: 'HEAD' }, true],
  ['a look from another site', { ...read, fetchSite: 'cross-site' }, false],
  ['a look from another host of ours', { ...read, fetchSite: 'same-site' }, false],
  ['a look from another origin', { ...read, origin: 'https://evil.example.com' }, false],
  ['a look from a page without an origin', { ...read, origin: 'null' }, false],
  ['a change from our page', change, true],
  ['a change with DELETE', { ...change, method: 'DELETE' }, true],
  ['a change with an unknown verb', { ...change, method: 'PURGE', panel: undefined }, false],
  ['a change with OPTIONS and no header', { ...change, method: 'OPTIONS', panel: undefined }, false],
  ['a change without X-Panel', { ...change, panel: undefined }, false],
  ['a change with another X-Panel', { ...change, panel: '1, 1' }, false],
  ['a change without an origin', { ...change, origin: undefined }, false],
  ['a change from another origin', { ...change, origin: 'https://evil.example.com' }, false],
  ['a change from another host of ours', { ...change, origin: 'https://www.customer.com' }, false],
  ['a change from another port', { ...change, origin: 'https://hooks.customer.com:8443' }, false],
  ['a change that a browser knows to be from elsewhere', { ...change, fetchSite: 'same-site' }, false],
  ['a change from a page without an origin', { ...change, origin: 'null' }, false],
  ['a change from our name with something behind it', { ...change, origin: `${OWN}.evil.com` }, false],
  ['a change from our name as a user', { ...change, origin: `${OWN}@evil.com` }, false],
  ['a change from an origin with a path', { ...change, origin: `${OWN}/` }, false],
  ['a change from another scheme than http', { ...change, origin: 'ftp://hooks.customer.com' }, false],
  ['a change to a host that is none', { ...change, host: 'a b', origin: 'https://a b' }, false],
  ['a change without a host', { ...change, host: undefined }, false],
  ['a change to the default port by its number', { ...change, host: `${HOST}:443` }, true],
  ['a change to another port', { ...change, host: `${HOST}:8000`, origin: `http://${HOST}:8000` }, true],
];

describe('mayUseCookie', () => {
  it.each(CASES)('%s', (_what, request, counts) => {
    expect(mayUseCookie(request, null)).toBe(counts);
  });

  it('takes the origin that the operator names, behind a proxy that changes the host', () => {
    const proxied = { ...change, host: '10.0.0.7:8000' };
    expect(mayUseCookie(proxied, null)).toBe(false);
    expect(mayUseCookie(proxied, OWN)).toBe(true);
    expect(mayUseCookie({ ...proxied, origin: 'https://evil.example.com' }, OWN)).toBe(false);
  });
});
