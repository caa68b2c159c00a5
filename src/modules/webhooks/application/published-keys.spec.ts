import { beforeEach, describe, expect, it } from '@jest/globals';

import { KEPT_AFTER_USE_MS, KEY_LIFE_MS, PUBLISHED_BEFORE_USE_MS } from '../domain/jwt-key-ring.js';
import { AesGcmSecretVault } from '../infrastructure/crypto/aes-gcm-secret-vault.js';
import { FakeClock } from '../testing/fake-clock.js';
import { InMemoryJwtKeys } from '../testing/in-memory-jwt-keys.js';
import { KeepJwtKeys } from './keep-jwt-keys.js';
import { PublishedKeys } from './published-keys.js';

const key = (n: number): { kid: string; key: Buffer } => ({ kid: `k${n}`, key: Buffer.alloc(32, n) });

describe('the keys of JWTs', () => {
  let clock: FakeClock;
  let stored: InMemoryJwtKeys;

  beforeEach(() => {
    clock = new FakeClock();
    stored = new InMemoryJwtKeys(clock);
  });

  const vaultOf = (...keys: number[]): AesGcmSecretVault => new AesGcmSecretVault(keys.map(key));
  const keep = (vault = vaultOf(1)): Promise<unknown> => new KeepJwtKeys(stored, vault).execute();
  const kidOf = async (vault = vaultOf(1)): Promise<string> =>
    (await new PublishedKeys(stored, vault, clock).signing('EdDSA')).kid;
  const shown = async (): Promise<unknown[]> => new PublishedKeys(stored, vaultOf(1), clock).jwks();

  it('are one of each algorithm, made once, and shown without their private halves', async () => {
    await keep();
    const first = await shown();
    await keep();
    expect(await shown()).toEqual(first);
    expect(first).toEqual([
      {
        kty: 'OKP',
        crv: 'Ed25519',
        x: expect.any(String),
        kid: expect.any(String),
        alg: 'EdDSA',
        use: 'sig',
      },
      {
        ...{ kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) },
        ...{ kid: expect.any(String), alg: 'ES256', use: 'sig' },
      },
    ]);
  });

  it('are replaced in time: public before they sign, and after they signed', async () => {
    await keep();
    const old = await kidOf();
    clock.advance(KEY_LIFE_MS);
    await keep();
    expect(await shown()).toHaveLength(4);
    expect(await kidOf()).toBe(old);
    clock.advance(PUBLISHED_BEFORE_USE_MS);
    const successor = await kidOf();
    expect(successor).not.toBe(old);
    clock.advance(KEPT_AFTER_USE_MS - 1);
    await keep();
    expect(await shown()).toHaveLength(4);
    clock.advance(1);
    await keep();
    expect(await shown()).toHaveLength(2);
    expect(await kidOf()).toBe(successor);
  });

  it('are read again now and then, not for each token; what is not there yet is not remembered', async () => {
    const keys = new PublishedKeys(stored, vaultOf(1), clock);
    expect(await keys.jwks()).toEqual([]);
    await keep();
    expect(await keys.jwks()).toHaveLength(2);
    clock.advance(KEY_LIFE_MS);
    await keep();
    expect(await keys.jwks()).toHaveLength(4);
  });

  it('are sealed anew under a new encryption key; with neither they stay, and cannot sign', async () => {
    await keep(vaultOf(1));
    const kid = await kidOf(vaultOf(1));
    await keep(vaultOf(3));
    await expect(kidOf(vaultOf(3))).rejects.toMatchObject({ reason: 'unknown_key' });
    await keep(vaultOf(2, 1));
    expect(await kidOf(vaultOf(2))).toBe(kid);
  });
});
