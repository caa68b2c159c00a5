import { describe, expect, it } from '@jest/globals';

import { LanePaces } from './lane-paces.js';

const AGES = { slow: 250, hanging: 2_000 };

describe('LanePaces', () => {
  it.each([
    [0, 'fast'],
    [249, 'fast'],
    [250, 'slow'],
    [1_999, 'slow'],
    [2_000, 'hanging'],
    [10_000, 'hanging'],
  ])('an answer after %i ms is %s', (durationMs, pace) => {
    const paces = new LanePaces(AGES, 10);
    expect(paces.of('a')).toBe('unproven');
    paces.answered('a', durationMs);
    expect(paces.of('a')).toBe(pace);
    expect(paces.hasAnswered('a')).toBe(true);
  });

  it('lets an endpoint recover with one quick answer, and turn bad with one that takes long', () => {
    const paces = new LanePaces(AGES, 10);
    paces.answered('a', 5_000);
    paces.answered('a', 10);
    expect(paces.of('a')).toBe('fast');
    paces.atLeast('a', 'slow');
    expect(paces.of('a')).toBe('slow');
  });

  it('thinks no better of an endpoint while an attempt is only beginning to take long', () => {
    const paces = new LanePaces(AGES, 10);
    paces.answered('a', 5_000);
    paces.atLeast('a', 'slow');
    expect(paces.of('a')).toBe('hanging');
  });

  it('does not take a first attempt that goes on for an answer', () => {
    const paces = new LanePaces(AGES, 10);
    paces.atLeast('a', 'slow');
    paces.atLeast('a', 'hanging');
    expect([paces.of('a'), paces.hasAnswered('a')]).toEqual(['hanging', false]);
  });

  it('forgets what it has known for longest', () => {
    const paces = new LanePaces(AGES, 2);
    for (const id of ['a', 'b', 'c']) paces.answered(id, 10);
    expect(['a', 'b', 'c'].map((id) => paces.of(id))).toEqual(['unproven', 'fast', 'fast']);
  });
});
