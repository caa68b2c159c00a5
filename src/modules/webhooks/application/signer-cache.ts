import { Injectable } from '@nestjs/common';

import type { ClaimedDelivery } from '../domain/delivery.js';
import { prepareSigner, type PreparedSigner } from '../domain/signature.js';
import { SecretVault } from './ports/secret-vault.js';

/** Opened secrets kept at most; beyond it the one that was not used for longest goes. */
const CAPACITY = 10_000;

/**
 * Remembers prepared signers by their sealed secret, so that a secret is decrypted once and not for every attempt. A
 * changed secret has another sealed text, so nothing stale can be used.
 */
@Injectable()
export class SignerCache {
  private readonly signers = new Map<string, PreparedSigner>();

  constructor(private readonly vault: SecretVault) {}

  /** @throws SecretUnreadableError when the sealed secret cannot be opened with the configured keys. */
  signerOf(claim: ClaimedDelivery): PreparedSigner {
    const known = this.signers.get(claim.sealedSecret);
    const signer = known ?? this.open(claim);
    this.signers.delete(claim.sealedSecret);
    this.signers.set(claim.sealedSecret, signer);
    if (this.signers.size > CAPACITY) {
      const oldest = this.signers.keys().next();
      if (oldest.done !== true) this.signers.delete(oldest.value);
    }
    return signer;
  }

  private open(claim: ClaimedDelivery): PreparedSigner {
    const secret = this.vault.open(claim.sealedSecret, {
      tenantId: claim.tenantId,
      subscriptionId: claim.subscriptionId,
      purpose: 'signing',
    });
    return prepareSigner(secret.reveal());
  }
}
