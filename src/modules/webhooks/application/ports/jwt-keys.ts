import type { JsonWebKey } from 'node:crypto';

import type { RingKey } from '../../domain/jwt-key-ring.js';

/** A key of the service that signs JWTs. */
export interface StoredJwtKey extends RingKey {
  readonly publicKey: JsonWebKey;
  /** The private half as a JWK, sealed. */
  readonly sealedKey: string;
}

export type NewJwtKey = Omit<StoredJwtKey, 'ageMs'>;

/** What is to become of the stored keys. */
export interface JwtKeyChanges {
  readonly added: readonly NewJwtKey[];
  /** Ids of keys that go. */
  readonly removed: readonly string[];
  readonly resealed: readonly { readonly kid: string; readonly sealedKey: string }[];
}

/** The keys of the service, which all its processes share. Must not come in: keys in clear, when a key signs. */
export abstract class JwtKeys {
  abstract list(): Promise<readonly StoredJwtKey[]>;
  /** Changes them by one process at a time, which sees what the one before it did. @returns them as they are now */
  abstract change(plan: (keys: readonly StoredJwtKey[]) => JwtKeyChanges): Promise<readonly StoredJwtKey[]>;
}
