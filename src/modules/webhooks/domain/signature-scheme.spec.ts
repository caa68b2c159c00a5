import { describe, expect, it } from '@jest/globals';

import { DEFAULT_SIGNATURE, signatureProblems, wantedSignature } from './signature-scheme.js';

const found = (value: unknown): [string, string][] =>
  signatureProblems(value, ['signature']).map(({ path, msg }) => [path.join('/'), msg]);

describe('signatureProblems', () => {
  it.each([
    {},
    { scheme: 'hmac' },
    { scheme: 'v1a' },
    { scheme: 'jwt', alg: 'ES256', ttl_seconds: 30 },
    { alg: 'HS256', ttl_seconds: 900 },
  ])('takes %j', (value) => {
    expect(found(value)).toEqual([]);
  });

  it.each<[unknown, [string, string][]]>([
    ['jwt', [['signature', 'signature must be an object']]],
    [['jwt'], [['signature', 'signature must be an object']]],
    [{ scheme: 'none' }, [['signature/scheme', 'signature.scheme must be one of hmac, v1a, jwt']]],
    [{ scheme: null }, [['signature/scheme', 'signature.scheme must be one of hmac, v1a, jwt']]],
    [{ alg: 'none' }, [['signature/alg', 'signature.alg must be one of EdDSA, ES256, HS256']]],
    [
      { ttl_seconds: 29 },
      [['signature/ttl_seconds', 'signature.ttl_seconds must be an integer from 30 to 900']],
    ],
    [
      { scheme: 1, ttl_seconds: 901, kid: 'x' },
      [
        ['signature/scheme', 'signature.scheme must be one of hmac, v1a, jwt'],
        ['signature/ttl_seconds', 'signature.ttl_seconds must be an integer from 30 to 900'],
        ['signature/kid', 'Unknown field'],
      ],
    ],
  ])('refuses %j', (value, problems) => {
    expect(found(value)).toEqual(problems);
  });
});

it('fills in what is left out', () => {
  expect(wantedSignature({})).toEqual(DEFAULT_SIGNATURE);
  expect(wantedSignature({ scheme: 'jwt', ttl_seconds: 60 })).toEqual({
    ...{ scheme: 'jwt', alg: 'EdDSA', ttlSeconds: 60 },
  });
});
