import { describe, expect, it } from '@jest/globals';

import { violationsOf } from './checker.js';
import { attemptsUpTo, DELIVERY, REQUEST, run } from './good-run.js';
import type { RunHistory, SeenRequest } from './history.js';

describe('the checker of fault runs, by what a lane asks for,', () => {
  it('wants what a filter keeps back to be nowhere', () => {
    const events = [{ number: 1, lane: 0, fate: 'committed' as const, isKeptBack: true }];
    expect(violationsOf(run({ events, requests: [], deliveries: [], attempts: [] }))).toEqual([]);
    expect(violationsOf(run({ events }))).toEqual([
      'event 1 does not pass the filter of its lane, but has 1 deliveries and 1 requests',
    ]);
  });

  it('goes by the schedule of a lane, to which a probe that failed is not charged', () => {
    const failed = (n: number): SeenRequest => ({
      ...{ ...REQUEST, answeredStatus: 500, arrivedAtMs: n * 1_000, endedAtMs: n * 1_000 + 10 },
    });
    const spent = { ...DELIVERY, status: 'FAILED', attempts: 3, autoAttempts: 2, lastError: 'HTTP 500' };
    const attempts = attemptsUpTo(3).map((attempt) => ({ ...attempt, error: 'HTTP 500' }));
    const probed = attempts.map((attempt, n) => ({ ...attempt, isProbe: n === 1 }));
    const ran = (changes: Partial<RunHistory>): string[] =>
      violationsOf(run({ requests: [1, 2, 3].map(failed), deliveries: [spent], ...changes }));
    expect(ran({ attempts: probed, retriesOf: new Map([[0, 1]]) })).toEqual([]);
    expect(ran({ attempts, retriesOf: new Map([[0, 1]]) })).toHaveLength(1);
    expect(ran({ attempts: probed })).toEqual([
      'delivery d1 (event 1) FAILED after 2 attempts with: HTTP 500',
    ]);
  });

  it('passes on what was wrong with signatures', () => {
    expect(violationsOf(run({ forged: ['a request of event 1: no'] }))).toEqual(['a request of event 1: no']);
  });
});
