import type { SecretText } from '../../../../platform/kernel/secret-text.js';

/**
 * `signing_previous`: the secret before the last rotation. `headers`: values of the headers that a subscription adds.
 * `signing_key`: the private half of its key pair, and the one before the last rotation. `jwt_key`: one of the service's own.
 */
export type SecretPurpose =
  | 'signing'
  | 'signing_previous'
  | 'headers'
  | 'signing_key'
  | 'signing_key_previous'
  | 'jwt_key';

/** What a sealed secret is bound to; opening it for anything else fails. */
export interface SecretContext {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly purpose: SecretPurpose;
}

/** Keeps secrets unreadable at rest. Must not come in: where the sealed text is stored. */
export abstract class SecretVault {
  /** What every record that is sealed with the current key begins with. */
  abstract readonly currentMark: string;
  /** The same of every key that can be opened with, the current one first. */
  abstract readonly knownMarks: readonly string[];
  /** Encrypts with the current key; the result names its key and is printable ASCII. */
  abstract seal(secret: SecretText, context: SecretContext): string;
  /** @throws SecretUnreadableError when the key is unknown or the record was made for another context. */
  abstract open(sealed: string, context: SecretContext): SecretText;
}
