import { describe, expect, it } from '@jest/globals';

import { isDatabaseUnavailable } from './database-unavailable.js';

const withCode = (code: string, message = 'failed'): Error => Object.assign(new Error(message), { code });

describe('isDatabaseUnavailable', () => {
  it.each([
    withCode('ECONNREFUSED'),
    withCode('08006'),
    withCode('57P01'),
    withCode('57P03'),
    withCode('53300'),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]),
    Object.assign(new Error('query failed'), { driverError: withCode('57P02') }),
    new Error('outer', { cause: withCode('ECONNRESET') }),
  ])('is true of %s', (cause) => {
    expect(isDatabaseUnavailable(cause)).toBe(true);
  });

  it.each([
    withCode('23505'),
    withCode('22021'),
    withCode('42501'),
    withCode('ERR_INVALID_ARG_TYPE'),
    new Error('query failed'),
    'ECONNREFUSED',
    null,
  ])('is false of %s', (cause) => {
    expect(isDatabaseUnavailable(cause)).toBe(false);
  });
});
