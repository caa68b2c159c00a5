import { describe, expect, it } from '@jest/globals';

import { generateSecret } from './generated-secret.js';
import { checkSecret } from './subscription.js';

const whsec = (bytes: number): string => `whsec_${Buffer.alloc(bytes, 1).toString('base64')}`;

describe('checkSecret', () => {
  it.each([
    '12345678',
    'ñandú 😀 €uro',
    'x'.repeat(500),
    '😀'.repeat(500),
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    whsec(8),
    whsec(10).replaceAll('=', ''), // a receiver's library may have left the padding out
    whsec(64),
    whsec(100),
    generateSecret(),
  ])('takes %s', (secret) => {
    expect(checkSecret(secret)).toBeNull();
  });

  it.each([
    ['', 'Secret must be at least 8 characters'],
    ['1234567', 'Secret must be at least 8 characters'],
    ['😀😀😀😀', 'Secret must be at least 8 characters'],
    ['x'.repeat(501), 'Secret must be at most 500 characters'],
    ['a\u0000bcdefgh', 'Secret must not contain control characters or half characters'],
    ['abcdefgh\n', 'Secret must not contain control characters or half characters'],
    ['abcdefgh\ud800', 'Secret must not contain control characters or half characters'],
    [
      'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
      'Secret must not be a public key: whpk_ keys only verify',
    ],
    ['whpk_anything', 'Secret must not be a public key: whpk_ keys only verify'],
    ['whsec_!!!!!!!!', 'Secret must be base64 after whsec_'],
    ['whsec_a-b_c-d_', 'Secret must be base64 after whsec_'],
    [whsec(7), 'Secret must hold at least 8 bytes of base64 after whsec_'],
  ])('refuses %j', (secret, message) => {
    expect(checkSecret(secret)).toEqual({ message });
  });
});
