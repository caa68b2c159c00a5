import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { SecretText } from '../../../platform/kernel/secret-text.js';
import { isSecretHeader, KEPT_VALUE, type HeadersWish } from '../domain/custom-headers.js';
import { generateKeyPair } from '../domain/generated-key-pair.js';
import { SecretUnreadableError } from '../domain/secret-unreadable.error.js';
import { wantedSignature, type SignatureWish } from '../domain/signature-scheme.js';
import type {
  SealedHeaders,
  SealedSignature,
  SettingsSealing,
  SubscriptionSettings,
} from '../domain/subscription-settings.js';
import { openHeaders, sealedHeaderText, type HeaderValues } from './sealed-header-values.js';
import type { SecretVault } from './ports/secret-vault.js';

/** Seals what a change to the settings of one subscription has to keep secret. */
export class VaultSettingsSealing implements SettingsSealing {
  constructor(
    private readonly vault: SecretVault,
    private readonly of: { readonly tenantId: string; readonly subscriptionId: string },
  ) {}

  /** @throws InvalidInputError when a value is to be kept that is not there, or cannot be read. */
  headers(wish: HeadersWish, current: SubscriptionSettings): SealedHeaders {
    const entries = Object.entries(wish);
    const headers = entries.map(([name, value]) => ({ name, value: isSecretHeader(name) ? null : value }));
    const secret = entries.filter(([name]) => isSecretHeader(name));
    if (secret.length === 0) return { headers, sealedHeaders: null };
    const kept = secret.some(([, value]) => value === KEPT_VALUE) ? this.opened(current) : new Map();
    const values: HeaderValues = new Map(
      secret.map(([name, value]) => [
        name.toLowerCase(),
        value === KEPT_VALUE ? required(name, kept.get(name.toLowerCase()) as string | undefined) : value,
      ]),
    );
    const context = { ...this.of, purpose: 'headers' as const };
    return { headers, sealedHeaders: this.vault.seal(new SecretText(sealedHeaderText(values)), context) };
  }

  /** A pair of keys is made when `v1a` comes to need one, and goes when nothing needs it any more. */
  signature(wish: SignatureWish, current: SubscriptionSettings): SealedSignature {
    const signature = wantedSignature(wish);
    if (signature.scheme !== 'v1a') {
      return { signature, publicKey: null, sealedKey: null, sealedPreviousKey: null };
    }
    if (current.sealedKey === null) return { signature, ...this.newKey(), sealedPreviousKey: null };
    const { publicKey, sealedKey, sealedPreviousKey } = current;
    return { signature, publicKey, sealedKey, sealedPreviousKey };
  }

  /** The settings with a new pair in place of the one that there is; without one, as they are. */
  withNewKey(current: SubscriptionSettings, keepsPrevious: boolean): SubscriptionSettings {
    if (current.sealedKey === null) return current;
    const previous = keepsPrevious ? this.asPrevious(current.sealedKey) : null;
    return { ...current, ...this.newKey(), sealedPreviousKey: previous };
  }

  private newKey(): Pick<SealedSignature, 'publicKey' | 'sealedKey'> {
    const { publicKey, privateKey } = generateKeyPair();
    const context = { ...this.of, purpose: 'signing_key' as const };
    return { publicKey, sealedKey: this.vault.seal(new SecretText(privateKey), context) };
  }

  /** Sealed anew for its new purpose, so that neither record can take the other's place; one that cannot be read is let go. */
  private asPrevious(sealed: string): string | null {
    try {
      const key = this.vault.open(sealed, { ...this.of, purpose: 'signing_key' });
      return this.vault.seal(key, { ...this.of, purpose: 'signing_key_previous' });
    } catch (cause) {
      if (cause instanceof SecretUnreadableError) return null;
      throw cause;
    }
  }

  private opened({ sealedHeaders }: SubscriptionSettings): HeaderValues {
    if (sealedHeaders === null) return new Map();
    try {
      return openHeaders(this.vault, sealedHeaders, this.of);
    } catch (cause) {
      if (!(cause instanceof SecretUnreadableError)) throw cause;
      // As if it were not there: giving the value again is the way out for the tenant.
      return new Map();
    }
  }
}

function required(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  const loc = ['body', 'headers', name];
  throw new InvalidInputError([
    {
      type: 'value_error',
      loc,
      msg: `${KEPT_VALUE} keeps a stored value, and there is none: give the value`,
    },
  ]);
}
