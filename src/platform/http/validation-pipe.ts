import type { ArgumentMetadata, PipeTransform, Type } from '@nestjs/common';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';

import { InvalidInputError, type InputProblem } from '../kernel/domain-error.js';
import { unknownField } from '../kernel/field-problem.js';
import { missingMessage, problemsByRules } from './field-rules.js';

const LOCATIONS: Readonly<Record<string, string>> = {
  body: 'body',
  query: 'query',
  param: 'path',
  custom: 'request',
};

/** Problems that one answer lists at most: a body of 100,000 unknown fields must not be answered with megabytes. */
const MAX_PROBLEMS = 50;

type Dto = Type<object>;

/**
 * Judges everything that is declared as a DTO: unknown fields are refused, and all problems are listed at once.
 *
 * Only what lies at the top is looked at, by its own names, and goes into the DTO as it is: a free-form payload is
 * neither walked through nor copied, so what a request costs grows with its length and no faster.
 */
export class InputValidationPipe implements PipeTransform {
  private readonly fields = new WeakMap<Dto, ReadonlySet<string>>();

  async transform(value: unknown, { type, metatype }: ArgumentMetadata): Promise<unknown> {
    if (!isDto(metatype)) return value;
    const location = LOCATIONS[type] ?? type;
    // A body may be left out altogether: then every required field of it is missing, and a DTO without any is fine.
    const input = type === 'body' && value === undefined ? {} : value;
    if (!isObject(input)) {
      throw new InvalidInputError([
        { type: 'value_error', loc: [location], msg: 'Body must be a JSON object' },
      ]);
    }
    const fields = this.fieldsOf(metatype);
    const dto = new metatype();
    const unknown: string[] = [];
    for (const name of Object.keys(input)) {
      if (fields.has(name)) Reflect.set(dto, name, Reflect.get(input, name));
      else if (unknown.length < MAX_PROBLEMS) unknown.push(name);
    }
    const problems = [
      ...(await validate(dto, { forbidUnknownValues: false })).flatMap((error) =>
        problemsOf(error, location),
      ),
      ...problemsByRules(dto).map(({ path, msg }) => ({
        type: 'value_error',
        loc: [location, ...path],
        msg,
      })),
      ...unknown.map((name) => {
        const { path: loc, msg } = unknownField(name, [location]);
        return { type: 'extra_forbidden', loc, msg };
      }),
    ];
    if (problems.length > 0) throw new InvalidInputError(problems.slice(0, MAX_PROBLEMS));
    return dto;
  }

  /** The fields of a DTO are those that have a rule. */
  private fieldsOf(dto: Dto): ReadonlySet<string> {
    const known = this.fields.get(dto);
    if (known !== undefined) return known;
    const rules = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
    const fields = new Set(rules.map(({ propertyName }) => propertyName));
    this.fields.set(dto, fields);
    return fields;
  }
}

function isDto(metatype: ArgumentMetadata['metatype']): metatype is Dto {
  const plain: readonly unknown[] = [undefined, String, Number, Boolean, Array, Object];
  return !plain.includes(metatype);
}

function isObject(input: unknown): input is object {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function problemsOf({ property, value, constraints }: ValidationError, location: string): InputProblem[] {
  const loc = [location, property];
  if (value === undefined) return [{ type: 'missing', loc, msg: missingMessage(constraints) }];
  // Several rules of one field may say the same: once is enough.
  const distinct = new Set(Object.values(constraints ?? {}));
  return [...distinct].map((msg) => ({ type: 'value_error', loc, msg }));
}
