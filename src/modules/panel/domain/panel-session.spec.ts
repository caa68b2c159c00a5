import { describe, expect, it } from '@jest/globals';

import { hasEnded, SESSION_LIMITS, sessionScopes } from './panel-session.js';
import { newLinkToken, newSessionToken, tokenHash } from './session-token.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('a session of the panel', () => {
  it.each([
    [0, 0, false],
    [HOUR_MS, 30 * MINUTE_MS - 1, false],
    [HOUR_MS, 30 * MINUTE_MS, true],
    [8 * HOUR_MS - 1, 0, false],
    [8 * HOUR_MS, 0, true],
  ])('open for %d ms and idle for %d: has ended %p', (ageMs, idleMs, ended) => {
    expect(hasEnded({ ageMs, idleMs })).toBe(ended);
  });

  it('notes its use often enough for its half hour to mean something', () => {
    expect(SESSION_LIMITS.noteMs * 20).toBeLessThan(SESSION_LIMITS.idleMs);
  });

  it.each([
    ['webhooks:read webhooks:write', false, 'webhooks:read webhooks:write'],
    ['webhooks:write webhooks:read', true, 'webhooks:read'],
    ['webhooks:read', false, 'webhooks:read'],
    ['webhooks:admin', true, 'webhooks:admin'],
    ['', true, ''],
  ])('made with %p, only looking %p, may %p', (granted, isReadOnly, scopes) => {
    const set = new Set(granted.split(' ').filter((one) => one !== ''));
    expect(sessionScopes(set, isReadOnly).join(' ')).toBe(scopes);
  });

  it('has tokens of 128 and 256 bits that print nothing, and are not what is stored', () => {
    const [link, session] = [newLinkToken(), newSessionToken()];
    expect(link.reveal()).toMatch(/^[\w-]{22}$/);
    expect(session.reveal()).toMatch(/^[\w-]{43}$/);
    expect(`${link} ${JSON.stringify({ session })}`).toBe('*** {"session":"***"}');
    expect(newLinkToken().reveal()).not.toBe(link.reveal());
    expect(tokenHash(link.reveal())).toHaveLength(32);
    expect(tokenHash(link.reveal()).toString()).not.toContain(link.reveal());
  });
});
