import { describe, expect, it } from '@jest/globals';

import { LocalAllowances } from './local-allowances.js';

/** How many of so many requests at once are allowed. */
function allowedOf(count: number, allowances: LocalAllowances, nowMs: number, sender = 'acme'): number {
  return Array.from({ length: count }, () => allowances.take(sender, nowMs)).filter(({ allowed }) => allowed)
    .length;
}

describe('an allowance of requests', () => {
  it.each([1, 3, 5, 7, 60, 999, 6_000])('lets %i through at once, and no more', (perMinute) => {
    expect(allowedOf(perMinute + 5, new LocalAllowances(perMinute), 1_764_000_000_123)).toBe(perMinute);
  });

  // Red when it comes back at once at the end of a minute, as with a counter for each window.
  it('comes back evenly', () => {
    const allowances = new LocalAllowances(60);
    expect(allowedOf(100, allowances, 0)).toBe(60);
    expect(allowedOf(100, allowances, 999)).toBe(0);
    expect(allowedOf(100, allowances, 1_000)).toBe(1);
    expect(allowedOf(100, allowances, 11_000)).toBe(10);
    expect(allowedOf(100, allowances, 1_000_000)).toBe(60);
  });

  it('says what is left, when the next one is allowed and when all are', () => {
    const allowances = new LocalAllowances(3);
    expect(allowances.take('acme', 0)).toEqual({
      allowed: true,
      remaining: 2,
      retryAfterMs: 0,
      fullAfterMs: 20_000,
    });
    allowances.take('acme', 0);
    allowances.take('acme', 0);
    expect(allowances.take('acme', 5_000)).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 15_000,
      fullAfterMs: 55_000,
    });
  });

  it('is of one sender', () => {
    const allowances = new LocalAllowances(2);
    expect(allowedOf(3, allowances, 0, 'acme')).toBe(2);
    expect(allowedOf(3, allowances, 0, 'other')).toBe(2);
  });

  it('forgets who has been silent longest, never who is over', () => {
    const allowances = new LocalAllowances(1);
    allowances.take('busy', 0);
    for (let n = 0; n < 12_000; n += 1) {
      allowances.take(`other-${n}`, 0);
      expect(allowances.take('busy', 0).allowed).toBe(false);
    }
  });
});
