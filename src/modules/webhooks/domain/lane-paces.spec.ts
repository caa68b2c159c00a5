import { describe, expect, it } from '@jest/globals';

import { LanePaces } from './lane-paces.js';

const AGES = { slow: 250, hanging: 2_000 };
const LIMITS = { first: 1, proven: 2, least: 2, most: 4, promptMs: 1_000 };

describe('LanePaces', () => {
  it.each([
    [0, 'fast'],
    [249, 'fast'],
    [250, 'slow'],
    [1_999, 'slow'],
    [2_000, 'hanging'],
    [10_000, 'hanging'],
  ])('an answer after %i ms is %s', (durationMs, pace) => {
    const paces = new LanePaces(AGES, LIMITS, 10);
    expect(paces.of('a')).toBe('unproven');
    paces.answered('a', durationMs, true);
    expect(paces.of('a')).toBe(pace);
  });

  it('lets an endpoint recover with one quick answer, and turn bad with one that takes long', () => {
    const paces = new LanePaces(AGES, LIMITS, 10);
    paces.answered('a', 5_000, true);
    paces.answered('a', 10, true);
    expect(paces.of('a')).toBe('fast');
    paces.atLeast('a', 'slow');
    expect(paces.of('a')).toBe('slow');
  });

  it('thinks no better of an endpoint while an attempt is only beginning to take long', () => {
    const paces = new LanePaces(AGES, LIMITS, 10);
    paces.answered('a', 5_000, true);
    paces.atLeast('a', 'slow');
    expect(paces.of('a')).toBe('hanging');
  });

  it('lets an endpoint have more with each good answer, and half after a failure', () => {
    const paces = new LanePaces(AGES, LIMITS, 10);
    const seen = [paces.concurrencyOf('a')];
    for (const isHealthy of [true, true, true, true, false, false, true]) {
      paces.answered('a', 5, isHealthy);
      seen.push(paces.concurrencyOf('a'));
    }
    expect(seen).toEqual([1, 2, 3, 4, 4, 2, 2, 3]);
  });

  it('keeps what an endpoint may have while an attempt goes on', () => {
    const paces = new LanePaces(AGES, LIMITS, 10);
    paces.answered('a', 5, true);
    paces.atLeast('a', 'hanging');
    expect([paces.of('a'), paces.concurrencyOf('a')]).toEqual(['hanging', 2]);
  });

  it('forgets what it has known for longest', () => {
    const paces = new LanePaces(AGES, LIMITS, 2);
    for (const id of ['a', 'b', 'c']) paces.answered(id, 10, true);
    expect(['a', 'b', 'c'].map((id) => paces.of(id))).toEqual(['unproven', 'fast', 'fast']);
  });
});
