import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { Clock } from '../../../platform/kernel/clock.js';
import { signingKeyOf, type PublishedAlgorithm } from '../domain/jwt-key-ring.js';
import { contextOfJwtKey } from './keep-jwt-keys.js';
import { JwtKeys, type StoredJwtKey } from './ports/jwt-keys.js';
import { SecretVault } from './ports/secret-vault.js';

/** Milliseconds that a process goes by what it has read: keys are public for an hour before they sign. */
const FRESH_MS = 60_000;

/** The keys of the service: to sign with, and as everybody may see them. */
@Injectable()
export class PublishedKeys {
  private read: { readonly atMs: number; readonly keys: Promise<readonly StoredJwtKey[]> } | null = null;
  private readonly opened = new Map<string, KeyObject>();

  constructor(
    private readonly stored: JwtKeys,
    private readonly vault: SecretVault,
    private readonly clock: Clock,
  ) {}

  /** What `/.well-known/webhooks/jwks.json` shows. */
  async jwks(): Promise<JsonWebKey[]> {
    return (await this.fresh()).map(({ kid, alg, publicKey }) => ({ ...publicKey, kid, alg, use: 'sig' }));
  }

  /** @throws SecretUnreadableError when the key that has to sign cannot be opened. */
  async signing(alg: PublishedAlgorithm): Promise<{ readonly kid: string; readonly key: KeyObject }> {
    const found = signingKeyOf(await this.fresh(), alg);
    if (found === null) throw new Error(`There is no key for ${alg} yet`);
    const { kid, sealedKey } = found;
    const key = this.opened.get(kid) ?? this.open(kid, sealedKey);
    this.opened.set(kid, key);
    return { kid, key };
  }

  private open(kid: string, sealedKey: string): KeyObject {
    const jwk: unknown = JSON.parse(this.vault.open(sealedKey, contextOfJwtKey(kid)).reveal());
    return createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' });
  }

  private async fresh(): Promise<readonly StoredJwtKey[]> {
    const nowMs = this.clock.monotonicMs();
    const known = this.read;
    if (known !== null && nowMs - known.atMs <= FRESH_MS) return known.keys;
    const next = { atMs: nowMs, keys: this.stored.list() };
    this.read = next;
    try {
      const keys = await next.keys;
      // Before the first ones are made: they are there in a moment.
      if (keys.length === 0) this.read = null;
      return keys;
    } catch (cause) {
      // The database is away: what was read before is still true enough, and the next attempt asks again.
      if (this.read === next) this.read = known;
      if (known !== null) return known.keys;
      throw cause;
    }
  }
}
