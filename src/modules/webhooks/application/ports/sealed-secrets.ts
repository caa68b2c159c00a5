import type { SecretPurpose } from './secret-vault.js';

/** What a subscription keeps sealed. */
export type SubscriptionSecretPurpose = Exclude<SecretPurpose, 'jwt_key'>;

/** A stored record. */
export interface StoredSecret {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly purpose: SubscriptionSecretPurpose;
  readonly sealed: string;
}

/** One that was not sealed under the current key. */
export type StaleSecret = StoredSecret;

/** What to put in its place. */
export interface ResealedSecret extends StaleSecret {
  readonly resealed: string;
}

/** Where a walk over all records stands; null before the first. */
export interface SealedPosition {
  readonly tenantId: string;
  readonly subscriptionId: string;
}

export interface ResealedBatch {
  /** Records that were replaced. */
  readonly replaced: number;
  /** The last subscription that was looked at; null when none was left. */
  readonly last: SealedPosition | null;
}

/**
 * The sealed secrets of every tenant, for the rotation of keys. Records are told apart by how they begin (see
 * `SecretVault`). Must not come in: opening and sealing, which is the caller's.
 */
export abstract class SealedSecrets {
  /**
   * Replaces the stale records of up to `limit` subscriptions after `after` by what `reseal` makes of them, in one short
   * transaction. A record that was changed meanwhile is left alone.
   *
   * @returns null when another process is at it
   */
  abstract resealBatch(
    currentMark: string,
    after: SealedPosition | null,
    limit: number,
    reseal: (stale: readonly StaleSecret[]) => readonly ResealedSecret[],
  ): Promise<ResealedBatch | null>;
  /** How many records are not under the current key, and how many of them are under none of `knownMarks`. */
  abstract count(
    currentMark: string,
    knownMarks: readonly string[],
  ): Promise<{ readonly stale: number; readonly unreadable: number }>;
  /** Up to `limit` records of each mark, to try whether they open. */
  abstract sample(marks: readonly string[], limit: number): Promise<readonly StoredSecret[]>;
  /** Removes previous secrets whose overlap is over. @returns how many */
  abstract forgetExpired(): Promise<number>;
}
