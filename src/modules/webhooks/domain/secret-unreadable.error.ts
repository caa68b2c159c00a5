/** Why a sealed secret did not open. */
export type SecretUnreadableReason = 'unknown_key' | 'not_for_context' | 'malformed';

/**
 * A stored secret that cannot be opened. Not a `DomainError`: no caller of the API can mend it, only the operator who
 * holds the keys. Its message names the key and what to do; it never holds secret material or the record itself.
 */
export class SecretUnreadableError extends Error {
  private constructor(
    readonly reason: SecretUnreadableReason,
    /** The key that the record names; null when it names none. */
    readonly keyId: string | null,
    message: string,
  ) {
    super(message);
    this.name = 'SecretUnreadableError';
  }

  /** The record names a key that is not configured. */
  static unknownKey(keyId: string): SecretUnreadableError {
    return new SecretUnreadableError(
      'unknown_key',
      keyId,
      `The secret was sealed with key "${keyId}", which is not configured: ` +
        'put it back into WEBHOOK_ENCRYPTION_KEYS, after the current key',
    );
  }

  /** The key is there, but the record does not open with it for the tenant, subscription and purpose asked for. */
  static notForContext(keyId: string): SecretUnreadableError {
    return new SecretUnreadableError(
      'not_for_context',
      keyId,
      `The secret sealed with key "${keyId}" does not open for this tenant, subscription and purpose: the record ` +
        `belongs to another one or was altered, or key "${keyId}" has other bytes than when it was sealed`,
    );
  }

  /** The stored text is not a sealed secret at all. */
  static malformed(): SecretUnreadableError {
    return new SecretUnreadableError(
      'malformed',
      null,
      'The stored secret is not a sealed record: it was cut off or written by something else; set a new secret',
    );
  }
}
