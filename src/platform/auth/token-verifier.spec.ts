import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

import { afterEach, describe, expect, it } from '@jest/globals';
import { exportJWK, SignJWT, type JWTPayload } from 'jose';

import { newPrivateKey } from '../kernel/new-private-key.js';

import { eventually } from '../../../test/support/eventually.js';
import { pemPair } from '../../../test/support/pem-pair.js';
import { TokenVerifier, type TokenVerifierOptions } from './token-verifier.js';

const SECRET = 'a-secret-of-thirty-two-characters';
const CLAIMS = { tenant_id: 'acme', scope: 'webhooks:read  webhooks:write' };
const NOW = Math.floor(Date.now() / 1_000);

const pairOf = (privateKey: KeyObject): { privateKey: KeyObject; publicKey: KeyObject } => ({
  privateKey,
  publicKey: createPublicKey(privateKey),
});
const rsa = pairOf(createPrivateKey(pemPair.rsa(2_048).privateKey));
const ec = pairOf(newPrivateKey('P-256'));
const ed = pairOf(newPrivateKey('ed25519'));

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const bySecret = (change: Partial<TokenVerifierOptions> = {}): TokenVerifier =>
  new TokenVerifier({ key: { kind: 'secret', secret: SECRET }, issuer: null, audience: null, ...change });
const byPem = (key: KeyObject): TokenVerifier =>
  new TokenVerifier({ key: { kind: 'public_key', pem: pemOf(key) }, issuer: null, audience: null });

async function sign(
  key: KeyObject | string,
  alg: string,
  claims: JWTPayload = { sub: 'user', exp: NOW + 600 },
  kid?: string,
): Promise<string> {
  return new SignJWT({ ...CLAIMS, ...claims })
    .setProtectedHeader(kid === undefined ? { alg } : { alg, kid })
    .sign(typeof key === 'string' ? new TextEncoder().encode(key) : key);
}

/** A token made by hand, for what no library signs. */
function forged(header: object, claims: object, key?: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part(header)}.${part({ ...CLAIMS, ...claims })}`;
  return `${head}.${key === undefined ? '' : createHmac('sha256', key).update(head).digest('base64url')}`;
}

const refusal = { code: 'not_authenticated' };

describe('TokenVerifier', () => {
  it('reads who is asking', async () => {
    const principal = await bySecret().principalOf(await sign(SECRET, 'HS256'));
    expect(principal).toEqual({
      subject: 'user',
      tenantId: 'acme',
      scopes: new Set(['webhooks:read', 'webhooks:write']),
    });
  });

  it.each([
    ['RS256', rsa],
    ['ES256', ec],
    ['EdDSA', ed],
  ])('takes %s of its public key', async (alg, pair) => {
    const token = await sign(pair.privateKey, alg);
    expect((await byPem(pair.publicKey).principalOf(token)).subject).toBe('user');
  });

  // The contract's claims are sub, tenant_id and scope.
  it('takes a token that does not say when it ends', async () => {
    expect((await bySecret().principalOf(await sign(SECRET, 'HS256', { sub: 'user' }))).subject).toBe('user');
  });

  it.each<[string, () => Promise<string> | string]>([
    ['of another secret', () => sign('another-secret-of-32-characters!', 'HS256')],
    ['that has expired', () => sign(SECRET, 'HS256', { sub: 'user', exp: NOW - 60 })],
    ['that is not valid yet', () => sign(SECRET, 'HS256', { sub: 'user', exp: NOW + 600, nbf: NOW + 300 })],
    ['without a subject', () => sign(SECRET, 'HS256', { exp: NOW + 600 })],
    ['of a stronger algorithm of the same secret', () => sign(SECRET, 'HS512')],
    ['that claims to need no signature', () => forged({ alg: 'none' }, { sub: 'user' })],
    ['that claims so in other letters', () => forged({ alg: 'nOnE' }, { sub: 'user' })],
    [
      'whose header asks for an extension',
      () => forged({ alg: 'HS256', crit: ['x'], x: 1 }, { sub: 'user' }, SECRET),
    ],
    ['that is oversized', async () => `${await sign(SECRET, 'HS256')}${'x'.repeat(9_000)}`],
    [
      'that was changed',
      async () =>
        (await sign(SECRET, 'HS256')).replace(
          /\.[^.]+\./,
          `.${Buffer.from('{"sub":"root"}').toString('base64url')}.`,
        ),
    ],
    ['that is none', () => 'abc'],
    ['that is empty', () => ''],
  ])('refuses a token %s', async (_what, token) => {
    await expect(bySecret().principalOf(await token())).rejects.toMatchObject(refusal);
  });

  // Red when the algorithm is taken from the token: the public key would serve as the secret.
  it.each([
    ['RSA', rsa],
    ['P-256', ec],
    ['Ed25519', ed],
  ])('refuses HS256 with the %s public key for a secret', async (_name, pair) => {
    const token = forged({ alg: 'HS256' }, { sub: 'user' }, pemOf(pair.publicKey));
    await expect(byPem(pair.publicKey).principalOf(token)).rejects.toMatchObject(refusal);
  });

  it.each<[string, Partial<TokenVerifierOptions>, JWTPayload, boolean]>([
    ['the right issuer', { issuer: 'https://id.erp' }, { iss: 'https://id.erp' }, true],
    ['another issuer', { issuer: 'https://id.erp' }, { iss: 'https://evil' }, false],
    ['no issuer', { issuer: 'https://id.erp' }, {}, false],
    ['the right audience among others', { audience: 'webhooks' }, { aud: ['erp', 'webhooks'] }, true],
    ['another audience', { audience: 'webhooks' }, { aud: 'erp' }, false],
    ['any issuer where none is asked for', {}, { iss: 'https://evil', aud: 'erp' }, true],
  ])('with %s: %#', async (_what, options, claims, accepted) => {
    const token = await sign(SECRET, 'HS256', { sub: 'user', exp: NOW + 600, ...claims });
    const answer = bySecret(options).principalOf(token);
    if (accepted) expect((await answer).subject).toBe('user');
    else await expect(answer).rejects.toMatchObject(refusal);
  });

  it.each(['a'.repeat(65), '', 'a b', 'a/b', 7, null])('names no tenant for tenant_id %j', async (tenant) => {
    const token = await sign(SECRET, 'HS256', { sub: 'user', exp: NOW + 600, tenant_id: tenant });
    expect((await bySecret().principalOf(token)).tenantId).toBeNull();
  });

  it('verifies a token once, and refuses it when it has expired all the same', async () => {
    let nowMs = Date.now();
    const key = { kind: 'secret', secret: SECRET } as const;
    const verifier = new TokenVerifier({ key, issuer: null, audience: null }, () => nowMs);
    const token = await sign(SECRET, 'HS256', { sub: 'user', exp: NOW + 600 });
    const first = await verifier.principalOf(token);
    // The same object: it was not made again.
    expect(await verifier.principalOf(token)).toBe(first);
    nowMs += 610_000;
    await expect(verifier.principalOf(token)).rejects.toMatchObject(refusal);
    await expect(verifier.principalOf(token)).rejects.toMatchObject(refusal);
  });

  it('does not take one token for another, nor one that was changed for the one that it knows', async () => {
    const verifier = bySecret();
    const token = await sign(SECRET, 'HS256', { sub: 'one', exp: NOW + 600 });
    expect((await verifier.principalOf(token)).subject).toBe('one');
    const other = await sign(SECRET, 'HS256', { sub: 'two', exp: NOW + 600 });
    expect((await verifier.principalOf(other)).subject).toBe('two');
    await expect(verifier.principalOf(`${token.slice(0, -2)}AA`)).rejects.toMatchObject(refusal);
  });

  it('refuses keys of other kinds when it starts', () => {
    const publicKey = createPublicKey(pemPair.x25519().publicKey);
    expect(() => byPem(publicKey)).toThrow('JWT_PUBLIC_KEY: expected an RSA, P-256 or Ed25519 public key');
  });

  describe('with a key set', () => {
    let server: Server | undefined;
    let keys: object[] = [];
    let fetched = 0;

    afterEach(async () => {
      server?.closeAllConnections();
      await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
      server = undefined;
    });

    const serve = async (keySetAgeMs?: number): Promise<TokenVerifier> => {
      fetched = 0;
      server = createServer((_request, response) => {
        fetched += 1;
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
      });
      await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
      const options = { key: { kind: 'jwks', url }, issuer: null, audience: null } as const;
      return new TokenVerifier(options, undefined, keySetAgeMs);
    };
    const jwkOf = async (key: KeyObject, kid: string, alg: string): Promise<object> => ({
      ...(await exportJWK(key)),
      kid,
      alg,
    });

    it('finds the key by its id, and fetches the set once for many tokens', async () => {
      keys = [await jwkOf(rsa.publicKey, 'r', 'RS256'), await jwkOf(ed.publicKey, 'e', 'EdDSA')];
      const verifier = await serve();
      for (let n = 0; n < 5; n += 1) {
        const token = await sign(ed.privateKey, 'EdDSA', { sub: `user-${n}` }, 'e');
        expect((await verifier.principalOf(token)).subject).toBe(`user-${n}`);
      }
      expect(fetched).toBe(1);
    });

    // Unknown ids must not make the service a hammer on its issuer.
    it('asks no more than once in a while for ids that it does not know', async () => {
      keys = [await jwkOf(rsa.publicKey, 'r', 'RS256')];
      const verifier = await serve();
      await verifier.principalOf(await sign(rsa.privateKey, 'RS256', { sub: 'user' }, 'r'));
      for (let n = 0; n < 5; n += 1) {
        const token = await sign(rsa.privateKey, 'RS256', { sub: 'user' }, `unknown-${n}`);
        await expect(verifier.principalOf(token)).rejects.toMatchObject(refusal);
      }
      expect(fetched).toBeLessThanOrEqual(2);
    });

    // Red when verified tokens, or the set, are kept until the token expires: the key of a thief would count for hours.
    it('forgets a token soon after its key has gone from the set', async () => {
      keys = [await jwkOf(rsa.publicKey, 'r', 'RS256')];
      const verifier = await serve(50);
      const token = await sign(rsa.privateKey, 'RS256', { sub: 'user', exp: NOW + 3_600 }, 'r');
      expect((await verifier.principalOf(token)).subject).toBe('user');
      keys = [await jwkOf(ed.publicKey, 'e', 'EdDSA')];
      await eventually(() => expect(verifier.principalOf(token)).rejects.toMatchObject(refusal));
    });

    it('refuses a secret signature whose id is that of a public key', async () => {
      keys = [await jwkOf(rsa.publicKey, 'r', 'RS256')];
      const verifier = await serve();
      const token = forged({ alg: 'HS256', kid: 'r' }, { sub: 'user' }, pemOf(rsa.publicKey));
      await expect(verifier.principalOf(token)).rejects.toMatchObject(refusal);
    });

    it('says that it cannot verify, and not that the token is bad, when the set does not answer', async () => {
      const verifier = await serve();
      const closing = server;
      server = undefined;
      await new Promise((resolve) => closing?.close(resolve));
      const token = await sign(rsa.privateKey, 'RS256', { sub: 'user' }, 'r');
      await expect(verifier.principalOf(token)).rejects.toMatchObject({ code: 'auth_unavailable' });
    });
  });
});
