import { describe, expect, it } from '@jest/globals';

import { circuitGate, rampedPlaces } from './circuit-gate.js';
import { circuitProblems, DEFAULT_CIRCUIT_RULE, wantedCircuit } from './circuit-rule.js';
import {
  CLOSED_CIRCUIT,
  FIRST_PROBE_MS,
  probeFirst,
  probeSoon,
  resetCircuit,
  withoutProbe,
  withProbe,
  type Circuit,
} from './circuit.js';
import { circuitAfter } from './circuit-after.js';

import { NOW_MS } from './gate-cases.js';
import { laneHold } from './lane-hold.js';

const OPEN: Circuit = {
  ...CLOSED_CIRCUIT,
  ...{ state: 'open', cause: 'why', openedAtMs: NOW_MS, failures: 10, failingSinceMs: NOW_MS, epoch: 7 },
  ...{ nextProbeAtMs: NOW_MS + FIRST_PROBE_MS, probeWaitMs: FIRST_PROBE_MS },
};

describe('a circuit', () => {
  it('closes when it is reset, at a bounded pace, and takes no result of before', () => {
    const reset = resetCircuit(OPEN, NOW_MS);
    expect(reset).toEqual({ ...CLOSED_CIRCUIT, ramp: 1, countedFromMs: NOW_MS, epoch: 8 });
    expect(resetCircuit({ ...CLOSED_CIRCUIT, failures: 9, ramp: 4 }, NOW_MS)).toMatchObject({
      ...{ failures: 0, ramp: 4, epoch: 1 },
    });
    const late = { epoch: 7, outcome: 'failed', count: 1, error: 'x', retryAfterMs: 0 } as const;
    expect(circuitAfter(reset, DEFAULT_CIRCUIT_RULE, late, NOW_MS)).toEqual(reset);
  });

  it('probes at once when somebody asks, with what they ask for', () => {
    expect(probeSoon(CLOSED_CIRCUIT, NOW_MS, 'd')).toEqual(CLOSED_CIRCUIT);
    expect(probeSoon(OPEN, NOW_MS, 'd')).toEqual({ ...OPEN, nextProbeAtMs: NOW_MS, nextProbeId: 'd' });
    expect(probeSoon(OPEN, NOW_MS, null)).toEqual({ ...OPEN, nextProbeAtMs: NOW_MS });
    const probing = withProbe(OPEN, 'a', NOW_MS + 15_000);
    expect(probeSoon(probing, NOW_MS, 'd')).toEqual({ ...probing, nextProbeId: 'd' });
  });

  it('gives a probe back that did not begin, once, and does not double for it', () => {
    const probing = withProbe({ ...OPEN, nextProbeId: 'a' }, 'a', NOW_MS + 15_000);
    expect(probing).toMatchObject({ state: 'half_open', probeId: 'a', nextProbeId: null, epoch: 8 });
    const back = withoutProbe(probing, 'a', NOW_MS + 6_000);
    expect(back).toMatchObject({ state: 'open', nextProbeAtMs: NOW_MS + 6_000, probeWaitMs: FIRST_PROBE_MS });
    expect(withoutProbe(probing, 'b', NOW_MS)).toBe(probing);
    expect(withoutProbe(back, 'a', NOW_MS)).toBe(back);
  });

  it('begins with a probe when it was given up, and has its days again', () => {
    const first = probeFirst({ ...OPEN, probeWaitMs: 3_600_000 }, NOW_MS);
    expect(first).toMatchObject({
      ...{
        state: 'half_open',
        nextProbeAtMs: NOW_MS,
        probeWaitMs: FIRST_PROBE_MS,
        failingSinceMs: null,
        epoch: 8,
      },
    });
    const lane = {
      isPaused: false,
      circuit: first,
      heldUntilMs: null,
      heads: null,
      batches: null,
      maxWaitMs: null,
      rateLimit: null,
      rateNextAtMs: null,
    };
    expect(circuitGate(lane, 5, NOW_MS)).toEqual({ granted: 1, untilMs: null });
  });

  it('lets no more through at a time than its pace', () => {
    expect(rampedPlaces({ ramp: null }, 9, 50)).toBe(9);
    expect(rampedPlaces({ ramp: 4 }, 9, 1)).toBe(3);
    expect(rampedPlaces({ ramp: 4 }, 2, 1)).toBe(2);
    expect(rampedPlaces({ ramp: 1 }, 9, 3)).toBe(0);
  });

  it('holds what is due before the next probe, and says until when', () => {
    const lane = {
      isPaused: false,
      circuit: OPEN,
      heldUntilMs: null,
      heads: null,
      batches: null,
      maxWaitMs: null,
      rateLimit: null,
      rateNextAtMs: null,
    };
    const held = { reason: 'circuit_open', until: new Date(NOW_MS + FIRST_PROBE_MS) };
    expect(laneHold(lane, NOW_MS - 5, NOW_MS)).toEqual(held);
    expect(laneHold(lane, NOW_MS + FIRST_PROBE_MS, NOW_MS)).toEqual(held);
    expect(laneHold(lane, NOW_MS + FIRST_PROBE_MS + 1, NOW_MS)).toBeNull();
    const probing = { ...lane, circuit: withProbe(OPEN, 'a', NOW_MS + 15_000) };
    expect(laneHold(probing, NOW_MS, NOW_MS)).toEqual({ reason: 'circuit_open', until: null });
  });
});

describe('circuitProblems', () => {
  it.each<[unknown, string[]]>([
    [{}, []],
    [{ failures: 3, percent: 10, min_attempts: 10 }, []],
    [{ failures: 100, percent: 100, min_attempts: 1_000 }, []],
    [
      { failures: 2, percent: 9.5, min_attempts: 1_001 },
      [
        'circuit.failures must be an integer from 3 to 100',
        'circuit.percent must be an integer from 10 to 100',
        'circuit.min_attempts must be an integer from 10 to 1000',
      ],
    ],
    [{ failures: null }, ['circuit.failures must be an integer from 3 to 100']],
    [{ state: 'closed' }, ['Unknown field']],
    [[], ['Circuit must be an object with failures, percent and min_attempts']],
    [false, ['Circuit must be an object with failures, percent and min_attempts']],
  ])('of %j', (value, messages) => {
    expect(circuitProblems(value, ['circuit']).map(({ msg }) => msg)).toEqual(messages);
  });

  it('what is left out is as by default', () => {
    expect(wantedCircuit({ failures: 5 })).toEqual({ ...DEFAULT_CIRCUIT_RULE, failures: 5 });
  });
});
