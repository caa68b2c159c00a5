import type { DomainErrorKind } from '../kernel/domain-error.js';

/** The one mapping from what went wrong to an HTTP status. */
export const STATUS_OF_KIND: Readonly<Record<DomainErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  unavailable: 503,
};

/** Codes of the platform itself, by status; the modules have their own. */
export const PLATFORM_ERRORS = {
  not_found: 404,
  payload_too_large: 413,
  uri_too_long: 414,
  unsupported_media_type: 415,
  headers_too_large: 431,
  internal_error: 500,
  unavailable: 503,
} as const;
