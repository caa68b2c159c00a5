import { Allow, ValidateBy } from 'class-validator';

import type { FieldProblem } from '../kernel/field-problem.js';

/** Judges a field that was given and is not null; `path` begins with the field's name. */
export type FieldRule = (value: unknown, path: readonly (string | number)[]) => readonly FieldProblem[];

const RULES = new WeakMap<object, Map<string, FieldRule>>();

/**
 * A field of a DTO with a rule of its own, which may find several problems and say where inside of the field each is. It may
 * be absent or null.
 */
export function ByRule(rule: FieldRule): PropertyDecorator {
  return (prototype, property) => {
    Allow()(prototype, property);
    const rules = RULES.get(prototype) ?? new Map<string, FieldRule>();
    RULES.set(prototype, rules.set(String(property), rule));
  };
}

const GIVEN = 'isGiven';

/** A field that has to be there, where `Field required` would not say all; what it is, is for other rules. */
export const IsGiven = (message: string): PropertyDecorator =>
  ValidateBy({
    name: GIVEN,
    validator: { validate: (value: unknown) => value !== undefined, defaultMessage: () => message },
  });

/** What is said of a field that is not there. */
export function missingMessage(constraints: Readonly<Record<string, string>> | undefined): string {
  return constraints?.[GIVEN] ?? 'Field required';
}

/** What the rules of a DTO's class, and of those that it extends, find. */
export function problemsByRules(dto: object): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (
    let prototype: unknown = Object.getPrototypeOf(dto);
    typeof prototype === 'object' && prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [field, rule] of RULES.get(prototype) ?? []) {
      const value: unknown = Reflect.get(dto, field);
      if (value === undefined || value === null) continue;
      // One by one: a function takes so many arguments and no more, and a rule may find as many problems as a body has names.
      for (const problem of rule(value, [field])) problems.push(problem);
    }
  }
  return problems;
}
