import { ValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { InvalidInputError, type InputProblem } from '../kernel/domain-error.js';

const LOCATIONS: Readonly<Record<string, string>> = {
  body: 'body',
  query: 'query',
  param: 'path',
  custom: 'request',
};

/** Checks DTOs: unknown fields are refused, and all problems are listed at once. */
export class InputValidationPipe extends ValidationPipe {
  constructor() {
    super({ whitelist: true, forbidNonWhitelisted: true, transform: true });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const location = LOCATIONS[metadata.type] ?? metadata.type;
    const isDto =
      metadata.metatype !== undefined &&
      ![String, Number, Boolean, Array, Object].includes(metadata.metatype as never);
    // A body may be left out altogether: then every required field of it is missing, and a DTO without any is fine.
    const input = metadata.type === 'body' && isDto && value === undefined ? {} : value;
    if (metadata.type === 'body' && isDto && !isObject(input)) {
      throw new InvalidInputError([
        { type: 'value_error', loc: [location], msg: 'Body must be a JSON object' },
      ]);
    }
    const inherited = isDto && isObject(input) ? inheritedNames(input, location) : [];
    try {
      const dto: unknown = await super.transform(input, metadata);
      if (inherited.length > 0) throw new ProblemList([]);
      return dto;
    } catch (cause) {
      if (cause instanceof ProblemList)
        throw new InvalidInputError([
          ...cause.errors.flatMap((error) => problemsOf(error, [location])),
          ...inherited,
        ]);
      throw cause;
    }
  }

  override createExceptionFactory(): (errors?: ValidationError[]) => unknown {
    return (errors = []) => new ProblemList(errors);
  }
}

function isObject(input: unknown): input is object {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

/** Fields that no DTO has, but that the libraries let pass in silence, because every object inherits their names. */
function inheritedNames(input: object, location: string): InputProblem[] {
  return Object.keys(input)
    .filter((name) => name in Object.prototype || name === 'prototype')
    .map((name) => ({ type: 'extra_forbidden', loc: [location, name], msg: 'Unknown field' }));
}

/** Carries class-validator's findings to where the location is known. */
class ProblemList extends Error {
  constructor(readonly errors: readonly ValidationError[]) {
    super('validation');
  }
}

function problemsOf(error: ValidationError, path: readonly (string | number)[]): InputProblem[] {
  const loc = [...path, /^\d+$/.test(error.property) ? Number(error.property) : error.property];
  const own = Object.entries(error.constraints ?? {}).map(([constraint, msg]): InputProblem => {
    if (constraint === 'whitelistValidation') return { type: 'extra_forbidden', loc, msg: 'Unknown field' };
    if (error.value === undefined) return { type: 'missing', loc, msg: 'Field required' };
    return { type: 'value_error', loc, msg };
  });
  // Several rules of one field may say the same: once is enough.
  const distinct = own.filter(({ msg }, index) => own.findIndex((other) => other.msg === msg) === index);
  return [...distinct, ...(error.children ?? []).flatMap((child) => problemsOf(child, loc))];
}
