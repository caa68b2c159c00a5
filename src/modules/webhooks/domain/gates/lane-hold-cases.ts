import type { HoldReason } from '../delivery.js';
import { CLOSED_CIRCUIT, type CircuitState } from './circuit.js';
import { NOW_MS } from './gate-cases.js';
import type { ShownLane } from './lane-hold.js';

/** What a delivery shows of its lane. */
export interface LaneHoldCase {
  readonly name: string;
  readonly lane: ShownLane;
  /** Milliseconds from now. */
  readonly dueInMs: number;
  /** Another one of its order goes before it. */
  readonly isBehind: boolean;
  readonly reason: HoldReason | null;
}

const OPEN: ShownLane = {
  ...{ isPaused: false, circuit: CLOSED_CIRCUIT, heldUntilMs: null, maxWaitMs: null },
  ...{ rateLimit: null, rateNextAtMs: null },
};

function at(ms: number): number {
  return NOW_MS + ms;
}

function circuit(state: CircuitState, nextInMs: number | null): Partial<ShownLane> {
  return { circuit: { state, nextProbeAtMs: nextInMs === null ? null : at(nextInMs), ramp: null } };
}

function rate(nextInMs: number | null): Partial<ShownLane> {
  const rateLimit = { max: 1, perSeconds: 1 };
  return { rateLimit, rateNextAtMs: nextInMs === null ? null : at(nextInMs) };
}

function row(
  name: string,
  change: Partial<ShownLane>,
  dueInMs: number,
  reason: HoldReason | null,
  isBehind = false,
): LaneHoldCase {
  return { name, lane: { ...OPEN, ...change }, dueInMs, isBehind, reason };
}

const EVERYTHING: Partial<ShownLane> = {
  ...{ isPaused: true, heldUntilMs: at(9_000), maxWaitMs: 9_000 },
  ...circuit('open', 9_000),
  ...rate(900),
};

/** The first reason that keeps a delivery back: one table for the rule and for the statement that counts. */
export const LANE_HOLD_CASES: readonly LaneHoldCase[] = [
  row('nothing', {}, 0, null),
  row('a pause, whatever else there is', EVERYTHING, 0, 'paused', true),
  row('a pause, of what is due later', { isPaused: true }, 9_000, 'paused'),
  row('a circuit, whatever else there is', { ...EVERYTHING, isPaused: false }, 0, 'circuit_open', true),
  row('an open circuit, of what is due with the probe', circuit('open', 9_000), 9_000, 'circuit_open'),
  row('an open circuit, of what is due after the probe', circuit('open', 9_000), 9_001, null),
  row('an open circuit that may be probed', circuit('open', -1), 0, 'circuit_open'),
  row('an open circuit that may be probed, and a retry later', circuit('open', -1), 1, null),
  row('half open, without a time', circuit('half_open', null), 0, 'circuit_open'),
  row('a closed circuit with a time of before', circuit('closed', 9_000), 0, null),
  row(
    'what the endpoint asked for, whatever comes after it',
    { ...EVERYTHING, isPaused: false, circuit: CLOSED_CIRCUIT },
    ...([0, 'throttled', true] as const),
  ),
  row('what the endpoint asked for, due later', { heldUntilMs: at(9_000) }, 9_001, null),
  row('what it asked for is over', { heldUntilMs: at(0) }, 0, null),
  row('what was asked for before a clock went back', { heldUntilMs: at(7_200_000) }, 0, null),
  row('its order', { maxWaitMs: 9_000, ...rate(900) }, 0, 'order', true),
  row('its order, due later', {}, 9_000, 'order', true),
  row('a batch that is open', { maxWaitMs: 9_000, ...rate(900) }, -8_999, 'batching'),
  row('a batch that is closed', { maxWaitMs: 9_000 }, -9_000, null),
  row('a batch, due later', { maxWaitMs: 9_000 }, 1, null),
  row('a batch that is closed, and no slot yet', { maxWaitMs: 500, ...rate(900) }, -500, 'rate_limited'),
  row('no slot yet', rate(900), 0, 'rate_limited'),
  row('no slot yet, due later', rate(900), 1, null),
  row('a slot that has come', rate(0), 0, null),
  row('no slot was ever taken', rate(null), 0, null),
  row('a slot of before a clock went back', rate(9_000), 0, null),
  row('a slot of a limit that is no more', { rateNextAtMs: at(900) }, 0, null),
];
