import { describe, expect, it } from '@jest/globals';

import { ENDED_SESSION_COOKIES, sessionCookie, sessionTokenIn } from './session-cookie.js';

const TOKEN = 'a'.repeat(43);
const OTHER = 'b'.repeat(43);

describe('the cookie of a session', () => {
  it.each([
    [
      'https://hooks.customer.com',
      `__Host-whp=${TOKEN}; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure`,
    ],
    ['https://localhost', `__Host-whp=${TOKEN}; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure`],
    ['http://localhost:8000', `whp=${TOKEN}; Path=/; HttpOnly; SameSite=Strict; Max-Age=60`],
    ['http://127.0.0.1:8000', `whp=${TOKEN}; Path=/; HttpOnly; SameSite=Strict; Max-Age=60`],
    ['http://[::1]:8000', `whp=${TOKEN}; Path=/; HttpOnly; SameSite=Strict; Max-Age=60`],
    ['http://hooks.customer.com', null],
    ['http://127.0.0.1.evil.com', null],
    ['http://localhost.evil.com', null],
  ])('for %s', (origin, cookie) => {
    expect(sessionCookie(TOKEN, origin, 60)).toBe(cookie);
  });

  it.each([
    [`__Host-whp=${TOKEN}`, 'hooks.customer.com', TOKEN],
    [`a=1; __Host-whp=${TOKEN};b=2`, 'hooks.customer.com', TOKEN],
    [`whp=${TOKEN}`, 'localhost:8000', TOKEN],
    [`whp=${TOKEN}`, '127.0.0.1', TOKEN],
    // A subdomain, or a page over http, can set a cookie without the prefix.
    [`whp=${TOKEN}`, 'hooks.customer.com', null],
    [`whp=${OTHER}; __Host-whp=${TOKEN}`, 'localhost', TOKEN],
    [`__Host-whp=${TOKEN}x`, 'localhost', null],
    ['__Host-whp=', 'localhost', null],
    [`xwhp=${TOKEN}`, 'localhost', null],
    [undefined, 'localhost', null],
    [`whp=${TOKEN}`, undefined, null],
  ])('is found in %s', (cookies, host, token) => {
    expect(sessionTokenIn(cookies, host)).toBe(token);
  });

  it('ends with what it began with, but for its value', () => {
    expect(ENDED_SESSION_COOKIES).toEqual([
      sessionCookie('', 'https://h', 0),
      sessionCookie('', 'http://localhost', 0),
    ]);
  });
});
