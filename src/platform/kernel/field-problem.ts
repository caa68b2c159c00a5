/** One thing that is wrong with a field, or with a part of it. */
export interface FieldProblem {
  /** Where it is, from the field's own name on: `['retry_schedule', 2]`. */
  readonly path: readonly (string | number)[];
  readonly msg: string;
}

/** A path as people read it: `retry_schedule[2]`, `circuit.failures`. */
export function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** Characters of a name that somebody made up which an answer shows: a name may be as long as a body. */
const MAX_SHOWN_NAME = 100;

/** A field that there is not. */
export function unknownField(name: string, path: readonly (string | number)[]): FieldProblem {
  const shown = name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name;
  return { path: [...path, shown], msg: 'Unknown field' };
}

/** The rule for whole numbers: one problem, or none. */
export function integerProblems(
  value: unknown,
  path: readonly (string | number)[],
  from: number,
  to: number,
): FieldProblem[] {
  if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) return [];
  return [{ path, msg: `${pathText(path)} must be an integer from ${from} to ${to}` }];
}
