import type { GatedLane } from './gate.js';

/** The moment of all cases, in milliseconds. */
export const NOW_MS = Date.parse('2026-01-02T03:04:05Z');

export interface GateCase {
  readonly name: string;
  readonly lane: GatedLane;
  readonly wanted: number;
  readonly granted: number;
  readonly reason: 'paused' | 'rate_limited' | null;
  /** Milliseconds from now; null: nobody knows, or there is nothing to wait for. */
  readonly untilMs: number | null;
}

const lane = (change: Partial<GatedLane> = {}): GatedLane => ({
  ...{ isPaused: false, rateLimit: null, rateNextAtMs: null },
  ...change,
});
const rate = (max: number, perSeconds: number, nextInMs: number | null = null, isPaused = false): GatedLane =>
  lane({
    isPaused,
    rateLimit: { max, perSeconds },
    rateNextAtMs: nextInMs === null ? null : NOW_MS + nextInMs,
  });

/** What the gates let through: one table for the rule and for the functions of the database. */
export const GATE_CASES: readonly GateCase[] = [
  { name: 'an open lane', lane: lane(), wanted: 5, granted: 5, reason: null, untilMs: null },
  {
    name: 'nothing wanted',
    lane: lane({ isPaused: true }),
    wanted: 0,
    granted: 0,
    reason: null,
    untilMs: null,
  },
  {
    name: 'a paused lane',
    lane: lane({ isPaused: true }),
    wanted: 5,
    granted: 0,
    reason: 'paused',
    untilMs: null,
  },
  {
    name: 'the first of a rate',
    lane: rate(1, 60),
    wanted: 5,
    granted: 1,
    reason: 'rate_limited',
    untilMs: 59_875,
  },
  {
    name: 'slots within reach',
    lane: rate(10, 1),
    wanted: 5,
    granted: 3,
    reason: 'rate_limited',
    untilMs: 175,
  },
  {
    name: 'a slot at the very end of it',
    lane: rate(20, 1),
    wanted: 9,
    granted: 6,
    reason: 'rate_limited',
    untilMs: 175,
  },
  { name: 'fewer wanted than slots', lane: rate(100, 1), wanted: 5, granted: 5, reason: null, untilMs: null },
  {
    name: 'the same rate in other words',
    lane: rate(1_000, 10),
    wanted: 5,
    granted: 5,
    reason: null,
    untilMs: null,
  },
  {
    name: 'a slot in a moment',
    lane: rate(4, 1, 100),
    wanted: 5,
    granted: 1,
    reason: 'rate_limited',
    untilMs: 225,
  },
  {
    name: 'a slot out of reach',
    lane: rate(1, 1, 900),
    wanted: 5,
    granted: 0,
    reason: 'rate_limited',
    untilMs: 775,
  },
  {
    name: 'an idle minute: no burst',
    lane: rate(4, 1, -60_000),
    wanted: 9,
    granted: 2,
    reason: 'rate_limited',
    untilMs: 375,
  },
  {
    name: 'a slot far ahead: the limit was changed, or a clock set back',
    ...{ lane: rate(10, 1, 3_600_000), wanted: 5, granted: 0, reason: 'rate_limited', untilMs: 225 },
  },
  {
    name: 'paused before anything else',
    ...{ lane: rate(10, 1, 100, true), wanted: 5, granted: 0, reason: 'paused', untilMs: null },
  },
];
