import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { newPrivateKey } from '../../../platform/kernel/new-private-key.js';
import fc from 'fast-check';
import { SignJWT } from 'jose';

import { WebhookSignature, type JwtVerificationInput } from './signature.js';
import { webhookJwtClaims, type WebhookJwtClaims } from './webhook-jwt.js';

const SECRET = 'the-secret-of-the-subscription';
const BODY = '{"total":1.10,"name":"ñ"}';
const NOW = 1_800_000_000;
const SUBJECT = {
  ...{ issuer: 'https://webhooks.gestiqcloud.com', subscriptionId: 's1', deliveryId: 'd1', event: 'a.b' },
  ...{ targetUrl: 'https://hooks.customer.com:8443/in?x=1', body: BODY },
};
const CLAIMS = webhookJwtClaims(SUBJECT, NOW, 300);

interface TestKey {
  readonly alg: 'EdDSA' | 'ES256';
  readonly privateKey: KeyObject;
  readonly jwk: JsonWebKey;
}

function testKey(alg: TestKey['alg'], kid: string): TestKey {
  const privateKey = newPrivateKey(alg === 'EdDSA' ? 'ed25519' : 'P-256');
  return { alg, privateKey, jwk: { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg } };
}

const ED = testKey('EdDSA', 'ed');
const EC = testKey('ES256', 'ec');
const JWKS = { keys: [ED.jwk, EC.jwk] };

async function token(
  claims: Partial<WebhookJwtClaims> = {},
  header: object = {},
  key: KeyObject | Uint8Array = ED.privateKey,
): Promise<string> {
  const protectedHeader = { alg: 'EdDSA', typ: 'webhook+jwt', kid: 'ed', ...header };
  return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader(protectedHeader).sign(key);
}

const verify = (jwt: string | undefined, change: Partial<JwtVerificationInput> = {}): string => {
  const result = WebhookSignature.verifyJwt({
    ...{ alg: 'EdDSA', jwks: JWKS, subscriptionId: 's1', audience: 'https://hooks.customer.com:8443' },
    ...{ headers: { 'x-webhook-jwt': jwt }, body: BODY, nowSeconds: NOW + 10 },
    ...change,
  });
  return result.ok ? `${result.id} ${result.event} ${result.issuedAtSeconds}` : result.reason;
};
const GOOD = `d1 a.b ${NOW}`;

describe('WebhookSignature.verifyJwt', () => {
  it('takes what jose signed, by each algorithm', async () => {
    expect(verify(await token())).toBe(GOOD);
    expect(verify(await token({}, { alg: 'ES256', kid: 'ec' }, EC.privateKey), { alg: 'ES256' })).toBe(GOOD);
    const hs = await token({}, { alg: 'HS256', kid: undefined }, Buffer.from(SECRET));
    expect(verify(hs, { alg: 'HS256', secret: SECRET })).toBe(GOOD);
    expect(verify(hs, { alg: 'HS256', secret: ['another', SECRET] })).toBe(GOOD);
    expect(verify(await token(), { headers: new Headers({ 'X-Webhook-JWT': await token() }) })).toBe(GOOD);
    expect(verify(await token(), { body: Buffer.from(BODY), issuer: SUBJECT.issuer })).toBe(GOOD);
  });

  it('never lets a token choose the algorithm, or the way in which a key is used', async () => {
    const publicText = Buffer.from(JSON.stringify(ED.jwk));
    const hs = await token({}, { alg: 'HS256' }, publicText);
    expect(verify(hs)).toBe('algorithm_not_allowed');
    expect(verify(hs, { alg: 'HS256' })).toBe('unknown_key');
    expect(verify(hs, { alg: 'HS256', secret: '' })).toBe('unknown_key');
    const none = `${Buffer.from('{"alg":"none","typ":"webhook+jwt"}').toString('base64url')}.${(await token()).split('.')[1]}.`;
    expect(verify(none)).toBe('malformed_token');
    expect(verify(`${none}AA`)).toBe('algorithm_not_allowed');
    // The key of another algorithm under the id that the token names.
    expect(verify(await token({}, { kid: 'ec' }))).toBe('unknown_key');
    expect(verify(await token({}, { kid: 'gone' }))).toBe('unknown_key');
    expect(verify(await token({}, { typ: 'JWT' }))).toBe('algorithm_not_allowed');
    const stranger = testKey('EdDSA', 'ed');
    expect(verify(await token({}, {}, stranger.privateKey))).toBe('signature_mismatch');
    expect(verify(await token(), { jwks: { keys: [{ ...ED.jwk, x: 'AA' }] } })).toBe('unknown_key');
  });

  it.each<[Partial<WebhookJwtClaims>, string]>([
    [{ sub: 's2' }, 'other_subscription'],
    [{ aud: 'https://hooks.customer.com' }, 'other_audience'],
    [{ iss: 'https://other.com' }, 'other_issuer'],
    [{ exp: NOW - 51 }, 'timestamp_out_of_tolerance'],
    [{ exp: NOW - 50 }, GOOD],
    [{ iat: NOW + 71 }, 'timestamp_out_of_tolerance'],
    [{ body_sha256: 'a'.repeat(64) }, 'body_changed'],
    [{ jti: 5 as unknown as string }, 'malformed_token'],
    [{ exp: undefined as unknown as number }, 'malformed_token'],
  ])('of %j says %s', async (claims, result) => {
    expect(verify(await token(claims), { issuer: SUBJECT.issuer })).toBe(result);
  });

  it('says what is wrong with a request', async () => {
    expect(verify(undefined)).toBe('missing_header');
    expect(verify('a.b')).toBe('malformed_token');
    expect(verify(`a.b.c`)).toBe('malformed_token');
    expect(verify('x'.repeat(9_000))).toBe('malformed_token');
    expect(verify(await token(), { body: { total: 1.1 } as unknown as string })).toBe('body_not_raw');
    expect(verify(await token(), { body: `${BODY} ` })).toBe('body_changed');
    expect(verify(await token(), { nowSeconds: NaN })).toBe('timestamp_out_of_tolerance');
    expect(verify(await token(), { toleranceSeconds: NaN })).toBe('timestamp_out_of_tolerance');
  });

  it('takes no altered token, and throws at nothing', async () => {
    const good = await token();
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom('A', 'B', '_', '.', '='), (at, character) => {
        const altered = good.slice(0, at) + character + good.slice(at + 1);
        if (altered === good) return;
        // The last character of a part holds bits that are not part of any byte.
        const sameBytes = altered.split('.').every((part, index) => {
          const original = good.split('.')[index] ?? '';
          return Buffer.from(part, 'base64url').equals(Buffer.from(original, 'base64url'));
        });
        if (!sameBytes) expect(verify(altered)).not.toBe(GOOD);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        expect(verify(anything as string)).not.toBe(GOOD);
      }),
      { numRuns: 300 },
    );
  });
});
