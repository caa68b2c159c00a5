import { DomainError } from '../kernel/domain-error.js';

export const AUTH_ERRORS = {
  not_authenticated: { kind: 'unauthenticated', message: 'A valid bearer token is required.' },
  tenant_required: {
    kind: 'forbidden',
    message: 'The token carries no tenant_id (1–64 of A-Z, a-z, 0-9, _ and -).',
  },
  insufficient_scope: { kind: 'forbidden', message: 'The token lacks the scope that this route needs.' },
  cross_origin_refused: {
    kind: 'forbidden',
    message: "A session's cookie counts for pages of the service itself, and changes need `X-Panel: 1`.",
  },
  bearer_required: {
    kind: 'forbidden',
    message: 'A session cannot do this, whatever its scopes: send a bearer token.',
  },
  auth_unavailable: {
    kind: 'unavailable',
    message: 'Tokens cannot be verified now: the key set does not answer.',
  },
} as const;

export class AuthError extends DomainError {
  constructor(code: keyof typeof AUTH_ERRORS) {
    super(code, AUTH_ERRORS[code].kind, AUTH_ERRORS[code].message);
    this.name = 'AuthError';
  }
}
