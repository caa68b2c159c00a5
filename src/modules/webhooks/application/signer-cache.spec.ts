import { beforeEach, describe, expect, it } from '@jest/globals';

import { SecretText } from '../../../platform/kernel/secret-text.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import { WebhookSignature } from '../domain/signature.js';
import { InMemorySecretVault } from '../testing/in-memory-secret-vault.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import type { SecretContext } from './ports/secret-vault.js';
import { SignerCache } from './signer-cache.js';

/** Counts how often a secret is decrypted. */
class CountingVault extends InMemorySecretVault {
  opened = 0;

  override open(sealed: string, context: SecretContext): SecretText {
    this.opened += 1;
    return super.open(sealed, context);
  }
}

describe('SignerCache', () => {
  let vault: CountingVault;
  let cache: SignerCache;

  beforeEach(() => {
    vault = new CountingVault();
    cache = new SignerCache(vault, new RecordingLogger());
  });

  const claimOf = (secret: string, subscriptionId = 's1'): ClaimedDelivery => ({
    ...{
      id: 'd',
      tenantId: 'acme',
      subscriptionId,
      eventId: 'e',
      payloadExpired: false,
      event: 'a.b',
      payload: '{}',
      attemptNumber: 1,
      epoch: 0,
      isProbe: false,
      autoAttempts: 1,
    },
    ...{
      trigger: 'auto',
      isRetry: false,
      waitMs: 0,
      leaseToken: 't',
      targetUrl: 'https://h.com/',
      subscriptionActive: true,
    },
    sealedPreviousSecret: null,
    settings: null,
    sealedSecret: vault.seal(new SecretText(secret), {
      tenantId: 'acme',
      subscriptionId,
      purpose: 'signing',
    }),
  });

  it('decrypts a secret once for many attempts', () => {
    for (let n = 0; n < 5; n += 1)
      expect(cache.signersOf(claimOf('first-secret')).current.xSignature('{}')).toBe(
        WebhookSignature.sign('first-secret', '{}'),
      );
    expect(vault.opened).toBe(1);
  });

  it('signs with the new secret as soon as it is changed', () => {
    cache.signersOf(claimOf('first-secret'));
    expect(cache.signersOf(claimOf('other-secret')).current.xSignature('{}')).toBe(
      WebhookSignature.sign('other-secret', '{}'),
    );
  });

  it('keeps subscriptions of the same secret apart', () => {
    cache.signersOf(claimOf('first-secret', 's1'));
    cache.signersOf(claimOf('first-secret', 's2'));
    expect(vault.opened).toBe(2);
  });

  it('remembers no failure', () => {
    const claim = { ...claimOf('first-secret'), subscriptionId: 's2' };
    expect(() => cache.signersOf(claim)).toThrow();
    expect(() => cache.signersOf(claim)).toThrow();
    expect(vault.opened).toBe(2);
  });
});
