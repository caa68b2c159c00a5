import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';

import { loggedError } from './logged-error.js';
import { statementName } from './sql-failure.js';

describe('loggedError', () => {
  it('keeps what tells the cause, and nothing of the data', () => {
    const driver = Object.assign(new Error('violates check constraint "x_ck"'), {
      code: '23514',
      severity: 'ERROR',
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
    expect(logged).toMatchObject({
      sqlstate: '23514',
      statement: expect.stringMatching(/^INSERT x #[0-9a-f]{8}$/),
    });
    // Red with pino's own serializer, which copies every property.
    expect(JSON.stringify(logged)).not.toContain('canary');
  });

  // Each message is PostgreSQL's own for a value that it refused. Red when messages are logged as they come.
  it.each([
    ['22P02', 'invalid input syntax for type json: "canary"'],
    ['22007', 'invalid input syntax for type timestamp with time zone: "canary"'],
    ['22021', 'invalid byte sequence for encoding "UTF8": canary'],
    ['42601', 'syntax error at or near "canary"'],
    ['P0001', 'raised with canary'],
  ])('tells of %s which statement it was, and no value of it', (code, message) => {
    const driver = Object.assign(new Error(message), { code, severity: 'ERROR' });
    const sql = 'UPDATE webhook_subscriptions SET secret = $1';
    for (const error of [driver, new QueryFailedError(sql, ['canary-parameter'], driver)]) {
      const logged = loggedError(error);
      expect(logged).toMatchObject({ sqlstate: code, message: `PostgreSQL refused a statement (${code})` });
      expect(JSON.stringify(logged)).not.toContain('canary');
      expect(logged).toHaveProperty('stack', expect.stringContaining('logged-error.spec'));
    }
    expect(loggedError(new QueryFailedError(sql, [], driver))).toMatchObject({
      statement: expect.stringMatching(/^UPDATE webhook_subscriptions #[0-9a-f]{8}$/),
    });
  });

  it('names statements by verb, table and text, whatever the white space', () => {
    expect(statementName('SELECT  *\n FROM "public"."webhook_events"')).toMatch(/^SELECT webhook_events #/);
    expect(statementName('SELECT * FROM a')).toBe(statementName(' SELECT *\n  FROM a '));
    expect(statementName('SELECT * FROM a')).not.toBe(statementName('SELECT 1 FROM a'));
    expect(statementName('START TRANSACTION')).toMatch(/^SQL #/);
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
