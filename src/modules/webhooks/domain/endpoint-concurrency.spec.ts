import { describe, expect, it } from '@jest/globals';

import { nextConcurrency } from './endpoint-concurrency.js';

const LIMITS = { first: 1, proven: 4, least: 2, most: 64, promptMs: 1_000 };

describe('nextConcurrency', () => {
  it.each([
    { now: 1, isHealthy: true, durationMs: 5, next: 4 },
    { now: 1, isHealthy: true, durationMs: 1_001, next: 1 },
    { now: 2, isHealthy: true, durationMs: 5, next: 3 },
    { now: 63, isHealthy: true, durationMs: 1_000, next: 64 },
    { now: 64, isHealthy: true, durationMs: 5, next: 64 },
    { now: 8, isHealthy: true, durationMs: 1_001, next: 8 },
    { now: 8, isHealthy: false, durationMs: 5, next: 4 },
    { now: 3, isHealthy: false, durationMs: 10_000, next: 2 },
    { now: 1, isHealthy: false, durationMs: 5, next: 2 },
  ])('of $now after $durationMs ms, healthy: $isHealthy', ({ now, isHealthy, durationMs, next }) => {
    expect(nextConcurrency(now, isHealthy, durationMs, LIMITS)).toBe(next);
  });

  it('doubles while every request of a round is answered in time', () => {
    let now = LIMITS.first;
    const rounds: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const underWay = now;
      for (let answer = 0; answer < underWay; answer += 1) now = nextConcurrency(now, true, 5, LIMITS);
      rounds.push(now);
    }
    expect(rounds).toEqual([4, 8, 16, 32, 64, 64, 64]);
  });
});
