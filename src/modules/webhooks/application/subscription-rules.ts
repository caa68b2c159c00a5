import type { InputProblem } from '../../../platform/kernel/domain-error.js';
import { parseEventPattern } from '../domain/event-name.js';
import { checkSecret } from '../domain/subscription.js';
import type { TargetPolicy } from './ports/target-policy.js';

/** Reads an event pattern; `name` is usable only when there are no problems. */
export function eventPatternProblem(text: string): {
  readonly name: string;
  readonly problems: InputProblem[];
} {
  const parsed = parseEventPattern(text);
  return parsed.ok
    ? { name: parsed.name, problems: [] }
    : { name: text, problems: [problem('event', parsed.message)] };
}

export function targetProblem(url: string, targets: TargetPolicy): InputProblem[] {
  const verdict = targets.check(url);
  return verdict.ok ? [] : [problem('url', verdict.message)];
}

export function secretProblem(secret: string): InputProblem[] {
  const wrong = checkSecret(secret);
  return wrong === null ? [] : [problem('secret', wrong.message)];
}

function problem(field: string, msg: string): InputProblem {
  return { type: 'value_error', loc: ['body', field], msg };
}
