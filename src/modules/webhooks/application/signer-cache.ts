import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { BoundedCache } from '../../../platform/kernel/bounded-cache.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import { SecretUnreadableError } from '../domain/secret-unreadable.error.js';
import {
  prepareKeyPair,
  prepareSigner,
  type PreparedKeyPair,
  type PreparedSigner,
} from '../domain/signature.js';
import type { SubscriptionSettings } from '../domain/subscription-settings.js';
import { SecretVault, type SecretPurpose } from './ports/secret-vault.js';

/** Opened secrets kept at most. */
const CAPACITY = 10_000;

/** Who signs a delivery: both while a rotation's overlap lasts. */
export interface Signers {
  readonly current: PreparedSigner;
  readonly previous: PreparedSigner | null;
}

/**
 * Remembers prepared signers by their sealed secret, so that a secret is decrypted once and not for every attempt. A
 * changed secret has another sealed text, so nothing stale can be used.
 */
@Injectable()
export class SignerCache {
  /** Null: it cannot be read, which was logged. */
  private readonly signers = new BoundedCache<string, PreparedSigner | null>(CAPACITY);

  private readonly pairs = new BoundedCache<string, PreparedKeyPair>(CAPACITY);

  constructor(
    private readonly vault: SecretVault,
    private readonly logger: AppLogger,
  ) {}

  /** @throws SecretUnreadableError when the current secret cannot be opened with the configured keys. */
  signersOf(claim: ClaimedDelivery): Signers {
    return {
      current:
        this.signers.get(claim.sealedSecret) ??
        this.signers.set(claim.sealedSecret, this.open(claim.sealedSecret, claim, 'signing')),
      previous:
        claim.sealedPreviousSecret === null ? null : this.previousOf(claim, claim.sealedPreviousSecret),
    };
  }

  /**
   * The pairs that sign `v1a`, the current one first; none when the subscription has none.
   *
   * @throws SecretUnreadableError when the current one cannot be opened with the configured keys.
   */
  keyPairsOf(
    claim: ClaimedDelivery,
    { sealedKey, sealedPreviousKey }: SubscriptionSettings,
  ): PreparedKeyPair[] {
    if (sealedKey === null) return [];
    const current = this.pairs.get(sealedKey) ?? this.openPair(sealedKey, claim, 'signing_key');
    // The claim has a previous secret while the overlap of a rotation lasts: the previous pair ends with it.
    if (sealedPreviousKey === null || claim.sealedPreviousSecret === null) return [current];
    try {
      const known = this.pairs.get(sealedPreviousKey);
      return [current, known ?? this.openPair(sealedPreviousKey, claim, 'signing_key_previous')];
    } catch (cause) {
      if (cause instanceof SecretUnreadableError) return [current];
      throw cause;
    }
  }

  private openPair(
    sealed: string,
    { tenantId, subscriptionId }: ClaimedDelivery,
    purpose: SecretPurpose,
  ): PreparedKeyPair {
    const text = this.vault.open(sealed, { tenantId, subscriptionId, purpose }).reveal();
    return this.pairs.set(sealed, prepareKeyPair(text));
  }

  /** A previous secret that cannot be read must not keep deliveries from being sent with the current one. */
  private previousOf(claim: ClaimedDelivery, sealed: string): PreparedSigner | null {
    const known = this.signers.get(sealed);
    if (known !== undefined) return known;
    try {
      return this.signers.set(sealed, this.open(sealed, claim, 'signing_previous'));
    } catch (cause) {
      if (!(cause instanceof SecretUnreadableError)) throw cause;
      this.logger.error(
        'The previous signing secret of a subscription cannot be read; the new one signs alone',
        {
          subscriptionId: claim.subscriptionId,
          reason: cause.message,
        },
      );
      return this.signers.set(sealed, null);
    }
  }

  private open(
    sealed: string,
    { tenantId, subscriptionId }: ClaimedDelivery,
    purpose: SecretPurpose,
  ): PreparedSigner {
    return prepareSigner(this.vault.open(sealed, { tenantId, subscriptionId, purpose }).reveal());
  }
}
