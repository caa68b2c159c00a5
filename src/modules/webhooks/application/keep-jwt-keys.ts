import { createHash, createPublicKey } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { newPrivateKey } from '../../../platform/kernel/new-private-key.js';
import { SecretText } from '../../../platform/kernel/secret-text.js';
import {
  needsSuccessor,
  outlivedKeys,
  PUBLISHED_ALGORITHMS,
  type PublishedAlgorithm,
} from '../domain/jwt-key-ring.js';
import { SecretUnreadableError } from '../domain/secret-unreadable.error.js';
import { JwtKeys, type NewJwtKey, type StoredJwtKey } from './ports/jwt-keys.js';
import { SecretVault, type SecretContext } from './ports/secret-vault.js';

/** What a key of the service is bound to: it belongs to no tenant. */
export function contextOfJwtKey(kid: string): SecretContext {
  return { tenantId: '', subscriptionId: kid, purpose: 'jwt_key' };
}

/** Sees to it that there is a key of each algorithm, that each gets a successor in time, and that old ones go. */
@Injectable()
export class KeepJwtKeys {
  constructor(
    private readonly keys: JwtKeys,
    private readonly vault: SecretVault,
  ) {}

  /** @returns the keys as they are now */
  async execute(): Promise<readonly StoredJwtKey[]> {
    return this.keys.change((stored) => ({
      added: PUBLISHED_ALGORITHMS.filter((alg) => needsSuccessor(stored, alg)).map((alg) => this.made(alg)),
      removed: outlivedKeys(stored).map(({ kid }) => kid),
      resealed: stored.flatMap((key) => this.resealed(key)),
    }));
  }

  private made(alg: PublishedAlgorithm): NewJwtKey {
    const privateKey = newPrivateKey(alg === 'EdDSA' ? 'ed25519' : 'P-256');
    const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
    const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
    const text = JSON.stringify(privateKey.export({ format: 'jwk' }));
    const sealedKey = this.vault.seal(new SecretText(text), contextOfJwtKey(kid));
    return { kid, alg, publicKey: jwk, sealedKey };
  }

  /** One that cannot be read stays as it is: its key may come back. */
  private resealed({ kid, sealedKey }: StoredJwtKey): { kid: string; sealedKey: string }[] {
    if (sealedKey.startsWith(this.vault.currentMark)) return [];
    const context = contextOfJwtKey(kid);
    try {
      return [{ kid, sealedKey: this.vault.seal(this.vault.open(sealedKey, context), context) }];
    } catch (cause) {
      if (cause instanceof SecretUnreadableError) return [];
      throw cause;
    }
  }
}
