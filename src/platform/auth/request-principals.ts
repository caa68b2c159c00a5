import { Injectable, Optional } from '@nestjs/common';

import { AuthError } from './auth-errors.js';
import { bearerTokenOf, type RequestWithHeaders } from './bearer-token.js';
import { mayUseCookie, type CookieRequest } from './cookie-rule.js';
import type { Principal } from './principal.js';
import { PublicOrigin } from './public-origin.js';
import { sessionTokenIn } from './session-cookie.js';
import { SessionPrincipals, type SessionUse } from './session-principals.js';
import { TokenVerifier } from './token-verifier.js';

/**
 * Verifies the token of each request once: the rate limit asks first, the guard of the route after it. Without a token the
 * cookie of a session speaks, where the process has sessions.
 */
@Injectable()
export class RequestPrincipals {
  private readonly verified = new WeakMap<RequestWithHeaders, Promise<Principal | null>>();

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly publicOrigin: PublicOrigin,
    @Optional() private readonly sessions?: SessionPrincipals,
  ) {}

  /**
   * @returns null without a bearer token and a session
   * @throws AuthError as {@link TokenVerifier.principalOf} does, or `cross_origin_refused`
   */
  async of(request: RequestWithHeaders): Promise<Principal | null> {
    const principal = this.verified.get(request) ?? this.principalOf(request, 'request');
    this.verified.set(request, principal);
    return principal;
  }

  /**
   * Once more, for a request that goes on for long.
   *
   * @throws AuthError when its token, or its session, does not count any more
   */
  async again(request: RequestWithHeaders): Promise<Principal> {
    const principal = await this.principalOf(request, 'watching');
    if (principal === null) throw new AuthError('not_authenticated');
    return principal;
  }

  private async principalOf(
    request: RequestWithHeaders,
    kind: SessionUse['kind'],
  ): Promise<Principal | null> {
    const token = bearerTokenOf(request);
    if (token !== null) return this.verifier.principalOf(token);
    const session = this.sessions === undefined ? null : sessionTokenOf(request);
    if (session === null) return null;
    if (!mayUseCookie(cookieRequestOf(request), this.publicOrigin.origin)) {
      throw new AuthError('cross_origin_refused');
    }
    const { method = 'GET', url = '', id } = request;
    const path = url.split('?', 1).join('');
    const requestId = typeof id === 'string' ? id : null;
    return (await this.sessions?.find(session, { kind, method, path, requestId })) ?? null;
  }
}

/** The token of the session cookie of a request, whether it counts or not. */
export function sessionTokenOf({ headers }: RequestWithHeaders): string | null {
  return sessionTokenIn(one(headers['cookie']), one(headers['host']));
}

export function cookieRequestOf({ headers, method = 'GET' }: RequestWithHeaders): CookieRequest {
  return {
    method,
    origin: one(headers['origin']),
    host: one(headers['host']),
    fetchSite: one(headers['sec-fetch-site']),
    panel: one(headers['x-panel']),
  };
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
