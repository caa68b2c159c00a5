import type { CircuitState } from './gates/circuit.js';
import { isPublicKeyText, standardKeyBytes } from './signing-key.js';
import type { SubscriptionSettings } from './subscription-settings.js';

/** Bounds of a subscription's signing secret, in characters (contract). */
export const MIN_SECRET_LENGTH = 8;
export const MAX_SECRET_LENGTH = 500;

/**
 * Fewest bytes in the base64 of a `whsec_` secret: as many as any other secret must have. Standard Webhooks recommends
 * 24 to 64, but its libraries sign and verify with any, and the contract allows them.
 */
const MIN_STANDARD_KEY_BYTES = 8;

/** Receivers keep secrets in variables and files, which cannot hold a NUL; half a surrogate pair has no UTF-8 bytes to sign with. */
const UNUSABLE_IN_SECRET = /[\p{Cc}\p{Cs}]/u;

/** Longest target URL, in characters (contract). */
export const MAX_URL_LENGTH = 2_048;

/** How its endpoint fares. */
export interface EndpointCircuit {
  readonly state: CircuitState;
  /** Why nothing is sent, in words; null while it is closed. */
  readonly cause: string | null;
  readonly openedAt: Date | null;
  /** While it is open. */
  readonly nextProbeAt: Date | null;
  /** Failed attempts in a row. */
  readonly failures: number;
}

export const CLOSED_ENDPOINT: EndpointCircuit = {
  ...{ state: 'closed', cause: null, openedAt: null, nextProbeAt: null, failures: 0 },
};

/** A tenant's wish to receive an event (or a pattern of events) at a URL. Its secret is never part of it. */
export interface Subscription {
  readonly id: string;
  readonly tenantId: string;
  /** The first of `events`. */
  readonly event: string;
  /** Each an event name, a prefix wildcard `invoice.*`, or `*`. */
  readonly events: readonly string[];
  readonly url: string;
  /** What its tenant wrote about it. */
  readonly description: string | null;
  /** What it wants of payloads: the JSON text of a filter, as it was given; null: every payload. */
  readonly filter: string | null;
  readonly active: boolean;
  /** Its tenant keeps its deliveries back. */
  readonly isPaused: boolean;
  readonly circuit: EndpointCircuit;
  /** Why it was deactivated, in words; null while active. */
  readonly deactivationReason: string | null;
  readonly deactivatedAt: Date | null;
  /** When its signing secret was last replaced; null: it is the first one. */
  readonly secretRotatedAt: Date | null;
  /** Until when deliveries carry the signature of the previous secret as well; null: there is no previous one. */
  readonly previousSecretExpiresAt: Date | null;
  readonly settings: SubscriptionSettings;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export type SecretProblem = { readonly message: string } | null;

/** Checks a secret that a tenant chose; null when it may be used. */
export function checkSecret(secret: string): SecretProblem {
  const message = secretRefusal(secret);
  return message === null ? null : { message };
}

function secretRefusal(secret: string): string | null {
  // Code points, as JSON Schema counts: an emoji is one character.
  const { length } = Array.from(secret);
  if (length < MIN_SECRET_LENGTH) return `Secret must be at least ${MIN_SECRET_LENGTH} characters`;
  if (length > MAX_SECRET_LENGTH) return `Secret must be at most ${MAX_SECRET_LENGTH} characters`;
  if (UNUSABLE_IN_SECRET.test(secret)) return 'Secret must not contain control characters or half characters';
  if (isPublicKeyText(secret)) return 'Secret must not be a public key: whpk_ keys only verify';
  const keyBytes = standardKeyBytes(secret);
  if (keyBytes === 0) return 'Secret must be base64 after whsec_';
  if (keyBytes !== null && keyBytes < MIN_STANDARD_KEY_BYTES) {
    return `Secret must hold at least ${MIN_STANDARD_KEY_BYTES} bytes of base64 after whsec_`;
  }
  return null;
}

/** Deactivated by a `DELETE` of the tenant. */
export const DEACTIVATED_BY_TENANT = 'Deleted by the tenant';
/** Deactivated by a `PATCH` of the tenant. */
export const DEACTIVATED_BY_UPDATE = 'Deactivated by the tenant';
/** Deactivated because the receiver answered 410 Gone. */
export const DEACTIVATED_BY_GONE = 'The endpoint answered 410 Gone';
/** Deactivated because nothing but failures came back for days. */
export const DEACTIVATED_BY_FAILING = 'The endpoint has answered nothing but failures for 5 days';

/** Why a subscription is inactive: its tenant wanted it, the endpoint is gone, or it failed for too long. */
export const DISABLED_REASONS = ['manual', 'gone', 'failing'] as const;

export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** @returns null while it is active */
export function disabledReason({
  active,
  deactivationReason,
}: Pick<Subscription, 'active' | 'deactivationReason'>): DisabledReason | null {
  if (active) return null;
  if (deactivationReason === DEACTIVATED_BY_GONE) return 'gone';
  return deactivationReason === DEACTIVATED_BY_FAILING ? 'failing' : 'manual';
}
