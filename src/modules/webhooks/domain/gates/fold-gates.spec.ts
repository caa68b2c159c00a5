import { describe, expect, it } from '@jest/globals';

import { foldGates, takesBirths } from './fold-gates.js';
import { CLOSED_CIRCUIT } from './circuit.js';
import { GATE_CASES, NOW_MS } from './gate-cases.js';
import { LANE_HOLD_CASES } from './lane-hold-cases.js';
import { laneHold } from './lane-hold.js';
import { rateGate, rateSlots } from './rate-gate.js';
import { rateLimitProblems } from './rate-limit.js';

describe('foldGates', () => {
  it.each(GATE_CASES)('$name', ({ lane, wanted, granted, reason, untilMs }) => {
    const folded = foldGates(lane, wanted, NOW_MS);
    expect(folded).toEqual({ granted, reason, untilMs: untilMs === null ? null : NOW_MS + untilMs });
  });

  it('lets births in where no gate has a say', () => {
    expect(GATE_CASES.filter(({ lane }) => takesBirths(lane, NOW_MS)).map(({ name }) => name)).toEqual([
      ...['an open lane', 'what it asked for is over', 'a hold of before a clock was set back'],
    ]);
  });

  // Red with a bucket that fills while nothing is sent: five would go out at once.
  it('never lets more through in any time than the rate has slots, however it is asked', () => {
    const rateLimit = { max: 5, perSeconds: 1 };
    let rateNextAtMs: number | null = null;
    const sentAtMs: number[] = [];
    for (let nowMs = NOW_MS; nowMs < NOW_MS + 60_000; nowMs += (nowMs % 7) * 31 + 1) {
      const lane = {
        isPaused: false,
        circuit: CLOSED_CIRCUIT,
        heldUntilMs: null,
        heads: null,
        batches: null,
        maxWaitMs: null,
        rateLimit,
        rateNextAtMs,
      };
      const { granted } = rateGate(lane, 9, nowMs);
      const slots = rateSlots(lane, nowMs);
      for (let n = 0; n < granted; n += 1) sentAtMs.push((slots?.firstMs ?? 0) + n * (slots?.stepMs ?? 0));
      if (slots !== null && granted > 0) rateNextAtMs = slots.firstMs + granted * slots.stepMs;
    }
    const gaps = sentAtMs.slice(1).map((atMs, n) => atMs - (sentAtMs[n] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(200);
    expect(sentAtMs.length).toBeGreaterThan(290);
  });
});

describe('laneHold', () => {
  it.each(LANE_HOLD_CASES)('shows: $name', ({ lane, dueInMs, isBehind, reason }) => {
    const blocker = isBehind ? { id: 'another', untilMs: null } : null;
    expect(laneHold(lane, NOW_MS + dueInMs, NOW_MS, blocker)?.reason ?? null).toBe(reason);
  });

  const limited = {
    ...{
      isPaused: false,
      circuit: CLOSED_CIRCUIT,
      heldUntilMs: null,
      heads: null,
      batches: null,
      maxWaitMs: null,
      rateLimit: { max: 1, perSeconds: 60 },
    },
    rateNextAtMs: NOW_MS + 5_000,
  };

  it('is that of the lane: paused whatever is due when, limited while no slot has come', () => {
    expect(laneHold({ ...limited, isPaused: true }, NOW_MS + 1, NOW_MS)).toEqual({
      reason: 'paused',
      until: null,
    });
    const held = { reason: 'rate_limited', until: new Date(NOW_MS + 5_000) };
    expect(laneHold(limited, NOW_MS, NOW_MS)).toEqual(held);
    expect(laneHold(limited, NOW_MS + 1, NOW_MS)).toBeNull();
    expect(laneHold({ ...limited, rateNextAtMs: null }, NOW_MS, NOW_MS)).toBeNull();
    expect(laneHold({ ...limited, rateLimit: null }, NOW_MS, NOW_MS)).toBeNull();
  });

  it('is what its endpoint asked for, of what is due before that is over', () => {
    const throttled = { ...limited, heldUntilMs: NOW_MS + 9_000 };
    const held = { reason: 'throttled', until: new Date(NOW_MS + 9_000) };
    expect(laneHold(throttled, NOW_MS, NOW_MS)).toEqual(held);
    expect(laneHold(throttled, NOW_MS + 9_000, NOW_MS)).toEqual(held);
    expect(laneHold(throttled, NOW_MS + 9_001, NOW_MS)).toBeNull();
    expect(laneHold(throttled, NOW_MS, NOW_MS + 9_000)).toBeNull();
  });
});

describe('rateLimitProblems', () => {
  it.each<[unknown, string[]]>([
    [{ max: 1, per_seconds: 1 }, []],
    [{ max: 1_000, per_seconds: 3_600 }, []],
    [
      { max: 0, per_seconds: 3_601 },
      [
        'rate_limit.max must be an integer from 1 to 1000',
        'rate_limit.per_seconds must be an integer from 1 to 3600',
      ],
    ],
    [
      { max: 1.5 },
      [
        'rate_limit.max must be an integer from 1 to 1000',
        'rate_limit.per_seconds must be an integer from 1 to 3600',
      ],
    ],
    [{ max: 1, per_seconds: 1, burst: 2 }, ['Unknown field']],
    [[], ['Rate limit must be an object with max and per_seconds']],
    ['5/s', ['Rate limit must be an object with max and per_seconds']],
  ])('of %j', (value, messages) => {
    expect(rateLimitProblems(value, ['rate_limit']).map(({ msg }) => msg)).toEqual(messages);
  });
});
