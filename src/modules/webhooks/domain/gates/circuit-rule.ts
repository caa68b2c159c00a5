import {
  integerProblems,
  unknownField,
  type FieldProblem,
} from '../../../../platform/kernel/field-problem.js';

/** When a circuit opens: after so many failed attempts in a row, or such a share of those of the last five minutes. */
export interface CircuitRule {
  readonly failures: number;
  readonly percent: number;
  /** Attempts in five minutes below which their share says nothing. */
  readonly minAttempts: number;
}

export const DEFAULT_CIRCUIT_RULE: CircuitRule = { failures: 10, percent: 70, minAttempts: 20 };

/** Lowest and highest of each member, by its name in the API. */
export const CIRCUIT_BOUNDS = {
  failures: [3, 100],
  percent: [10, 100],
  min_attempts: [10, 1_000],
} as const;

/** A rule in the form of the API; what is left out is as by default. */
export interface CircuitWish {
  readonly failures?: number | undefined;
  readonly percent?: number | undefined;
  readonly min_attempts?: number | undefined;
}

/** A whole one, as it is stored and shown. */
export interface StoredCircuit {
  readonly failures: number;
  readonly percent: number;
  readonly min_attempts: number;
}

/** Checks what somebody wants of a circuit, in the form of the API. */
export function circuitProblems(value: unknown, path: readonly (string | number)[]): FieldProblem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path, msg: 'Circuit must be an object with failures, percent and min_attempts' }];
  }
  const given = value as Readonly<Record<string, unknown>>;
  const bounds = Object.entries(CIRCUIT_BOUNDS);
  return [
    ...bounds.flatMap(([name, [from, to]]) =>
      given[name] === undefined ? [] : integerProblems(given[name], [...path, name], from, to),
    ),
    ...Object.keys(given)
      .filter((name) => !Object.hasOwn(CIRCUIT_BOUNDS, name))
      .map((name) => unknownField(name, path)),
  ];
}

export function wantedCircuit({ failures, percent, min_attempts: minAttempts }: CircuitWish): CircuitRule {
  const standard = DEFAULT_CIRCUIT_RULE;
  return {
    failures: failures ?? standard.failures,
    percent: percent ?? standard.percent,
    minAttempts: minAttempts ?? standard.minAttempts,
  };
}

export function shownCircuitRule({ failures, percent, minAttempts }: CircuitRule): StoredCircuit {
  return { failures, percent, min_attempts: minAttempts };
}

export function isDefaultCircuit({ failures, percent, minAttempts }: CircuitRule): boolean {
  const standard = DEFAULT_CIRCUIT_RULE;
  return (
    failures === standard.failures && percent === standard.percent && minAttempts === standard.minAttempts
  );
}
