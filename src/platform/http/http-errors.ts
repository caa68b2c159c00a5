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

/** Codes of the platform itself, with their statuses; the modules have their own. ARCHITECTURE.md lists them all. */
export const PLATFORM_ERRORS = {
  not_found: 404,
  request_timeout: 408,
  payload_too_large: 413,
  uri_too_long: 414,
  unsupported_media_type: 415,
  rate_limited: 429,
  headers_too_large: 431,
  internal_error: 500,
  service_unavailable: 503,
} as const;

const CODE_OF_STATUS: ReadonlyMap<number, string> = new Map(
  Object.entries(PLATFORM_ERRORS).map(([code, status]) => [status, code]),
);

/** The platform's code for a status, or null when such an answer lists problems instead. */
export function platformCodeOf(status: number): string | null {
  return CODE_OF_STATUS.get(status) ?? null;
}
