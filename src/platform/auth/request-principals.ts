import { Injectable } from '@nestjs/common';

import { AuthError } from './auth-errors.js';
import { bearerTokenOf, type RequestWithHeaders } from './bearer-token.js';
import type { Principal } from './principal.js';
import { TokenVerifier } from './token-verifier.js';

/** Verifies the token of each request once: the rate limit asks first, the guard of the route after it. */
@Injectable()
export class RequestPrincipals {
  private readonly verified = new WeakMap<RequestWithHeaders, Promise<Principal>>();

  constructor(private readonly verifier: TokenVerifier) {}

  /** @returns null without a bearer token. @throws AuthError as {@link TokenVerifier.principalOf} does. */
  async of(request: RequestWithHeaders): Promise<Principal | null> {
    const token = bearerTokenOf(request);
    if (token === null) return null;
    const principal = this.verified.get(request) ?? this.verifier.principalOf(token);
    this.verified.set(request, principal);
    return principal;
  }

  /**
   * Once more, for a request that goes on for long.
   *
   * @throws AuthError when its token does not count any more
   */
  async again(request: RequestWithHeaders): Promise<Principal> {
    const token = bearerTokenOf(request);
    if (token === null) throw new AuthError('not_authenticated');
    return this.verifier.principalOf(token);
  }
}
