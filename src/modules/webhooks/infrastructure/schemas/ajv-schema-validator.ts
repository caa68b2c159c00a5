import { Injectable } from '@nestjs/common';
import type { ValidateFunction } from 'ajv';

import type { FieldProblem } from '../../../../platform/kernel/field-problem.js';
import { SchemaValidator } from '../../application/ports/schema-validator.js';
import { EventTypeError } from '../../domain/event-types/event-catalogue.js';
import type { EventType } from '../../domain/event-types/event-type.js';

/**
 * Characters of a payload up to which every problem is found. Beyond, the first one ends the search: a list of half a million
 * wrong entries would be as many problems, each an object.
 */
const ALL_PROBLEMS_UP_TO = 65_536;

/** As many as a bad request lists. */
const MAX_PROBLEMS = 50;

interface Judges {
  readonly first: ValidateFunction;
  readonly all: ValidateFunction;
}

/** JSON Schema 2020-12 by ajv, which is loaded when the first schemas are read. */
@Injectable()
export class AjvSchemaValidator extends SchemaValidator {
  private readonly judges = new Map<string, Judges>();

  override async prepare(types: readonly EventType[]): Promise<void> {
    // By their defaults: CommonJS has no other export once it lies in a file of the bundle.
    const [{ default: draft2020 }, { default: formats }] = await Promise.all([
      import('ajv/dist/2020.js'),
      import('ajv-formats'),
    ]);
    // Types need not be said twice, but a keyword that there is not is a slip of whoever wrote the schema.
    const options = { strict: true, strictTypes: false, strictRequired: false } as const;
    const first = new draft2020.Ajv2020(options);
    const all = new draft2020.Ajv2020({ ...options, allErrors: true });
    formats.default(first);
    formats.default(all);
    for (const { event, schema } of types) {
      try {
        this.judges.set(event, { first: first.compile(schema), all: all.compile(schema) });
      } catch (cause) {
        throw new EventTypeError(
          event,
          `its schema cannot be used: ${cause instanceof Error ? cause.message : 'unreadable'}`,
        );
      }
    }
  }

  override problems(event: string, payload: string): readonly FieldProblem[] {
    const judges = this.judges.get(event);
    if (judges === undefined) return [];
    const value: unknown = JSON.parse(payload);
    if (judges.first(value)) return [];
    const judge = payload.length > ALL_PROBLEMS_UP_TO ? judges.first : judges.all;
    judge(value);
    return (judge.errors ?? []).slice(0, MAX_PROBLEMS).map(({ instancePath, message }) => ({
      path: steps(instancePath),
      msg: message ?? 'does not fit',
    }));
  }
}

/** Of a JSON pointer. */
function steps(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^(0|[1-9]\d*)$/.test(step) ? Number(step) : step));
}
