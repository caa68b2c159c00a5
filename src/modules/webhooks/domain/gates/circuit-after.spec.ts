import { describe, expect, it } from '@jest/globals';

import { circuitAfter, isGivenUp, type CircuitResult } from './circuit-after.js';
import { CIRCUIT_CASES, GIVEN_UP, resultsOf } from './circuit-cases.js';
import { NOW_MS } from './gate-cases.js';

describe('circuitAfter', () => {
  it.each(CIRCUIT_CASES)('$name', (one) => {
    const nowMs = NOW_MS + one.inMs;
    let circuit = one.circuit;
    for (const result of resultsOf(one)) circuit = circuitAfter(circuit, one.rule, result, nowMs);
    expect(circuit).toMatchObject(one.expected);
  });

  it('does the same for a run as for each of it', () => {
    for (const one of CIRCUIT_CASES) {
      const nowMs = NOW_MS + one.inMs;
      const [together, apart] = [
        resultsOf(one),
        resultsOf(one).flatMap((run) => Array<CircuitResult>(run.count).fill({ ...run, count: 1 })),
      ];
      const after = (results: readonly ReturnType<typeof resultsOf>[number][]): unknown =>
        results.reduce((circuit, result) => circuitAfter(circuit, one.rule, result, nowMs), one.circuit);
      expect(after(together)).toEqual(after(apart));
    }
  });
});

describe('isGivenUp', () => {
  it('ends what has failed for five days, with a probe that fails, and nothing else', () => {
    const over = CIRCUIT_CASES.filter((one) =>
      resultsOf(one).some((result) => isGivenUp(one.circuit, result, NOW_MS + one.inMs)),
    );
    expect(over.map(({ name }) => name)).toEqual(GIVEN_UP);
  });
});
