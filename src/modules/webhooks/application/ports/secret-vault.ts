import type { SecretText } from '../../../../platform/kernel/secret-text.js';

/** What a sealed secret is bound to; opening it for anything else fails. */
export interface SecretContext {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly purpose: 'signing';
}

/** Keeps secrets unreadable at rest. Must not come in: where the sealed text is stored. */
export abstract class SecretVault {
  /** Encrypts with the current key; the result names its key and is printable ASCII. */
  abstract seal(secret: SecretText, context: SecretContext): string;
  /** @throws SecretUnreadableError when the key is unknown or the record was made for another context. */
  abstract open(sealed: string, context: SecretContext): SecretText;
}
