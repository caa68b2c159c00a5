/** Bounds of a subscription's signing secret, in characters (contract). */
export const MIN_SECRET_LENGTH = 8;
export const MAX_SECRET_LENGTH = 500;

/** Longest target URL, in characters (contract). */
export const MAX_URL_LENGTH = 2_048;

/** A tenant's wish to receive an event (or a pattern of events) at a URL. Its secret is never part of it. */
export interface Subscription {
  readonly id: string;
  readonly tenantId: string;
  /** An event name, a prefix wildcard `invoice.*`, or `*`. */
  readonly event: string;
  readonly url: string;
  readonly active: boolean;
  /** Why it was deactivated, in words; null while active. */
  readonly deactivationReason: string | null;
  readonly deactivatedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type SecretProblem = { readonly message: string } | null;

/** Checks a secret that a tenant chose; null when it may be used. */
export function checkSecret(secret: string): SecretProblem {
  if (secret.length < MIN_SECRET_LENGTH) {
    return { message: `Secret must be at least ${MIN_SECRET_LENGTH} characters` };
  }
  if (secret.length > MAX_SECRET_LENGTH)
    return { message: `Secret must be at most ${MAX_SECRET_LENGTH} characters` };
  return null;
}

/** Deactivated by a `DELETE` of the tenant. */
export const DEACTIVATED_BY_TENANT = 'Deleted by the tenant';
/** Deactivated because the receiver answered 410 Gone. */
export const DEACTIVATED_BY_GONE = 'The endpoint answered 410 Gone';
