import { describe, expect, it } from '@jest/globals';

import { databaseProblem } from './database-problem.js';

describe('databaseProblem', () => {
  it.each([
    [
      'postgres://u:pw@db.host/erp',
      new Error('connect ECONNREFUSED'),
      'db.host:5432/erp',
      'connect ECONNREFUSED',
    ],
    ['postgres://u:pw@db.host:6000/erp', 'no words', 'db.host:6000/erp', 'no words'],
    [
      'postgresql://db.host/erp',
      new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]),
      'db.host:5432/erp',
      'refused ::1; refused 127.0.0.1',
    ],
  ])('of %s says where and why, and no password', (url, cause, where, why) => {
    expect(databaseProblem(url, cause)).toBe(`The database at ${where} cannot be used: ${why}`);
  });
});
