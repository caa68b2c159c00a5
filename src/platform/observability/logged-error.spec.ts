import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';

import { loggedError } from './logged-error.js';

describe('loggedError', () => {
  it('keeps what tells the cause, and nothing of the data', () => {
    const driver = Object.assign(new Error('violates check constraint "x_ck"'), {
      code: '23514',
      constraint: 'x_ck',
      detail: 'Failing row contains (canary-row).',
      where: 'PL/pgSQL canary-where',
    });
    const failed = new QueryFailedError('INSERT INTO x VALUES ($1)', ['canary-parameter'], driver);
    const logged = loggedError(failed);
    expect(logged).toMatchObject({
      type: 'QueryFailedError',
      message: 'violates check constraint "x_ck"',
      code: '23514',
      constraint: 'x_ck',
      stack: expect.stringContaining('logged-error.spec'),
      cause: { message: 'violates check constraint "x_ck"', code: '23514' },
    });
    // Red with pino's own serializer, which copies every property.
    expect(JSON.stringify(logged)).not.toContain('canary');
  });

  it('follows causes and lists, but not for ever', () => {
    const error: Error & { cause?: unknown } = new Error('round');
    error.cause = error;
    expect(JSON.stringify(loggedError(error)).match(/"round"/g)).toHaveLength(6);
    const many = loggedError(new AggregateError([new Error('one'), new Error('two')], 'both'));
    expect(many).toMatchObject({ message: 'both', errors: [{ message: 'one' }, { message: 'two' }] });
  });

  it.each([
    ['text', 'text'],
    [undefined, undefined],
    [{ secret: 'x' }, '[not an Error]'],
  ])('%j', (cause, logged) => {
    expect(loggedError(cause)).toEqual(logged);
  });
});
