import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';

import { InvalidInputError } from '../../../platform/kernel/domain-error.js';

/** Printable ASCII, as other APIs with this header have it. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** Documents the header. @param what happens when it is repeated with the same body */
export function ApiIdempotencyKey(what: string): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: `1–255 printable ASCII characters. ${what}`,
      schema: { type: 'string', pattern: IDEMPOTENCY_KEY.source, example: 'order-4711-paid' },
    }),
  );
}

/** @throws InvalidInputError for a key that cannot be one. */
export function checkIdempotencyKey(key: string | undefined): void {
  if (key === undefined || IDEMPOTENCY_KEY.test(key)) return;
  throw new InvalidInputError([
    {
      type: 'value_error',
      loc: ['header', 'idempotency-key'],
      msg: 'Idempotency-Key must be 1–255 printable ASCII characters without spaces',
    },
  ]);
}
