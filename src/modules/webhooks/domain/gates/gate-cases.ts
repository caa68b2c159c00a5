import { CLOSED_CIRCUIT } from './circuit.js';
import type { GatedCircuit, GatedLane } from './gate.js';

/** The moment of all cases, in milliseconds. */
export const NOW_MS = Date.parse('2026-01-02T03:04:05Z');

export interface GateCase {
  readonly name: string;
  readonly lane: GatedLane;
  readonly wanted: number;
  readonly granted: number;
  readonly reason: 'paused' | 'circuit_open' | 'throttled' | 'order' | 'batching' | 'rate_limited' | null;
  /** Milliseconds from now; null: nobody knows, or there is nothing to wait for. */
  readonly untilMs: number | null;
}

const lane = (change: Partial<GatedLane> = {}): GatedLane => ({
  ...{ isPaused: false, circuit: CLOSED_CIRCUIT, heldUntilMs: null, heads: null, batches: null },
  ...{ rateLimit: null, rateNextAtMs: null },
  ...change,
});
const circuit = (
  state: GatedCircuit['state'],
  nextInMs: number | null,
  change: Partial<GatedLane> = {},
): GatedLane =>
  lane({
    circuit: { state, nextProbeAtMs: nextInMs === null ? null : NOW_MS + nextInMs, ramp: null },
    ...change,
  });
const held = (forMs: number, change: Partial<GatedLane> = {}): GatedLane =>
  lane({ heldUntilMs: NOW_MS + forMs, ...change });
const ordered = (due: number, untilInMs: number | null, change: Partial<GatedLane> = {}): GatedLane =>
  lane({ heads: { due, untilMs: untilInMs === null ? null : NOW_MS + untilInMs }, ...change });
const batched = (due: number, untilInMs: number | null, change: Partial<GatedLane> = {}): GatedLane =>
  lane({ batches: { due, untilMs: untilInMs === null ? null : NOW_MS + untilInMs }, ...change });
const rate = (
  max: number,
  perSeconds: number,
  nextInMs: number | null = null,
  isPaused = false,
  change: Partial<GatedLane> = {},
): GatedLane =>
  lane({
    ...change,
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
    name: 'the first slot at the very end of reach',
    ...{ lane: rate(10, 1, 250), wanted: 5, granted: 1, reason: 'rate_limited', untilMs: 225 },
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
    name: 'a slot as far ahead as there ever is',
    ...{ lane: rate(1, 1, 1_250), wanted: 5, granted: 0, reason: 'rate_limited', untilMs: 1_125 },
  },
  {
    name: 'a slot of before a clock was set back',
    ...{ lane: rate(10, 1, 3_600_000), wanted: 5, granted: 3, reason: 'rate_limited', untilMs: 175 },
  },
  {
    name: 'paused before anything else',
    ...{ lane: rate(10, 1, 100, true), wanted: 5, granted: 0, reason: 'paused', untilMs: null },
  },
  {
    name: 'a circuit that closed lately: its pace is a matter of places',
    ...{ lane: lane({ circuit: { ...CLOSED_CIRCUIT, ramp: 2 } }), wanted: 5, granted: 5 },
    ...{ reason: null, untilMs: null },
  },
  {
    name: 'an open circuit',
    ...{ lane: circuit('open', 30_000), wanted: 5, granted: 0, reason: 'circuit_open', untilMs: 30_000 },
  },
  {
    name: 'an open circuit a moment before the probe',
    ...{ lane: circuit('open', 1), wanted: 5, granted: 0, reason: 'circuit_open', untilMs: 1 },
  },
  {
    name: 'an open circuit when it is time for a probe',
    ...{ lane: circuit('open', 0), wanted: 5, granted: 1, reason: 'circuit_open', untilMs: null },
  },
  {
    name: 'a probe, and no more is wanted',
    ...{ lane: circuit('open', -9_000), wanted: 1, granted: 1, reason: null, untilMs: null },
  },
  {
    name: 'a probe under way',
    ...{ lane: circuit('half_open', 15_000), wanted: 5, granted: 0, reason: 'circuit_open', untilMs: 15_000 },
  },
  {
    name: 'a probe whose lease has ended',
    ...{ lane: circuit('half_open', -1), wanted: 5, granted: 1, reason: 'circuit_open', untilMs: null },
  },
  {
    name: 'an hour until the next probe',
    ...{
      lane: circuit('open', 3_600_000),
      wanted: 5,
      granted: 0,
      reason: 'circuit_open',
      untilMs: 3_600_000,
    },
  },
  {
    name: 'a probe that was planned before a clock was set back',
    ...{ lane: circuit('open', 7_200_000), wanted: 5, granted: 1, reason: 'circuit_open', untilMs: null },
  },
  {
    name: 'an open circuit in a paused lane',
    ...{ lane: circuit('open', 30_000, { isPaused: true }), wanted: 5, granted: 0 },
    ...{ reason: 'paused', untilMs: null },
  },
  {
    name: 'a probe that has no slot yet',
    lane: circuit('open', 0, { rateLimit: { max: 1, perSeconds: 1 }, rateNextAtMs: NOW_MS + 900 }),
    ...{ wanted: 5, granted: 0, reason: 'circuit_open', untilMs: 775 },
  },
  {
    name: 'an endpoint that asked for five minutes',
    ...{ lane: held(300_000), wanted: 5, granted: 0, reason: 'throttled', untilMs: 300_000 },
  },
  {
    name: 'an endpoint that asked for an hour: no more is ever kept',
    ...{ lane: held(3_600_000), wanted: 5, granted: 0, reason: 'throttled', untilMs: 3_600_000 },
  },
  { name: 'what it asked for is over', lane: held(0), wanted: 5, granted: 5, reason: null, untilMs: null },
  {
    name: 'a hold of before a clock was set back',
    ...{ lane: held(7_200_000), wanted: 5, granted: 5, reason: null, untilMs: null },
  },
  {
    name: 'throttled in a paused lane',
    ...{ lane: held(300_000, { isPaused: true }), wanted: 5, granted: 0, reason: 'paused', untilMs: null },
  },
  {
    name: 'a probe that is due before the endpoint wants one',
    lane: circuit('open', 0, { heldUntilMs: NOW_MS + 300_000 }),
    ...{ wanted: 5, granted: 0, reason: 'circuit_open', untilMs: 300_000 },
  },
  {
    name: 'an open circuit that waits for longer than the endpoint asked for',
    lane: circuit('open', 30_000, { heldUntilMs: NOW_MS + 10_000 }),
    ...{ wanted: 5, granted: 0, reason: 'circuit_open', untilMs: 30_000 },
  },
  {
    name: 'throttled, and no slot yet',
    lane: { ...rate(1, 1, 900), heldUntilMs: NOW_MS + 5_000 },
    ...{ wanted: 5, granted: 0, reason: 'throttled', untilMs: 5_000 },
  },
  {
    name: 'the heads of two keys',
    ...{ lane: ordered(2, null), wanted: 5, granted: 2, reason: 'order', untilMs: null },
  },
  {
    name: 'more heads than wanted',
    ...{ lane: ordered(9, null), wanted: 5, granted: 5, reason: null, untilMs: null },
  },
  {
    name: 'a head that waits for its retry',
    ...{ lane: ordered(0, 4_000), wanted: 5, granted: 0, reason: 'order', untilMs: 4_000 },
  },
  {
    name: 'nothing but what is under way before',
    ...{ lane: ordered(0, null), wanted: 5, granted: 0, reason: 'order', untilMs: null },
  },
  {
    name: 'an order in a paused lane',
    ...{
      lane: ordered(0, 4_000, { isPaused: true }),
      wanted: 5,
      granted: 0,
      reason: 'paused',
      untilMs: null,
    },
  },
  {
    name: 'a probe of an open circuit, where the head waits for its retry',
    lane: circuit('open', 0, { heads: { due: 0, untilMs: NOW_MS + 4_000 } }),
    ...{ wanted: 5, granted: 0, reason: 'circuit_open', untilMs: 4_000 },
  },
  {
    name: 'two batches that are closed, and one that closes later',
    ...{ lane: batched(2, 700), wanted: 5, granted: 2, reason: 'batching', untilMs: 700 },
  },
  {
    name: 'as many closed batches as are wanted',
    ...{ lane: batched(5, 700), wanted: 5, granted: 5, reason: null, untilMs: null },
  },
  {
    name: 'a batch that is not closed, in a paused lane',
    ...{ lane: batched(0, 700, { isPaused: true }), wanted: 5, granted: 0, reason: 'paused', untilMs: null },
  },
  {
    name: 'a rate counts a batch as one',
    lane: rate(1, 60, null, false, { batches: { due: 3, untilMs: null } }),
    ...{ wanted: 5, granted: 1, reason: 'batching', untilMs: 59_875 },
  },
  {
    name: 'heads, and fewer slots of a rate',
    lane: rate(1, 60, null, false, { heads: { due: 3, untilMs: null } }),
    ...{ wanted: 5, granted: 1, reason: 'order', untilMs: 59_875 },
  },
];

/** Until when a lane is held after an answer: one table for the rule and the function `webhook_throttle_after`. */
export const THROTTLE_CASES: readonly {
  readonly heldInMs: number | null;
  readonly waitMs: number;
  /** Milliseconds from now; null: it is not held. */
  readonly untilMs: number | null;
}[] = [
  { heldInMs: null, waitMs: 0, untilMs: null },
  { heldInMs: null, waitMs: 5_000, untilMs: 5_000 },
  { heldInMs: null, waitMs: 86_400_000, untilMs: 3_600_000 },
  { heldInMs: 9_000, waitMs: 5_000, untilMs: 9_000 },
  { heldInMs: 5_000, waitMs: 9_000, untilMs: 9_000 },
  { heldInMs: 5_000, waitMs: 0, untilMs: 5_000 },
  { heldInMs: 0, waitMs: 0, untilMs: null },
  { heldInMs: -1, waitMs: 1_000, untilMs: 1_000 },
  { heldInMs: 7_200_000, waitMs: 0, untilMs: null },
  { heldInMs: 7_200_000, waitMs: 1_000, untilMs: 1_000 },
];
