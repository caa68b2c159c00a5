import { describe, expect, it } from '@jest/globals';

import { withoutCredentials } from './without-credentials.js';

describe('withoutCredentials', () => {
  it.each([
    ['connect to redis://:s3cret@cache:6379/0 failed', 'connect to redis://***@cache:6379/0 failed'],
    ['postgres://erp:p@ss/word@db/erp', 'postgres://***@db/erp'],
    ['"rediss://user:pw@a" and "postgresql://u:pw@b"', '"rediss://***@a" and "postgresql://***@b"'],
    ['https://hooks.customer.com/in', 'https://hooks.customer.com/in'],
    ['mail to ops@customer.com', 'mail to ops@customer.com'],
  ])('%s', (text, shown) => {
    expect(withoutCredentials(text)).toBe(shown);
  });
});
