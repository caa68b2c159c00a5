import { createPublicKey, type KeyObject } from 'node:crypto';
import { types } from 'node:util';

import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose';
import { Agent, fetch as fetchBy } from 'undici';

import { ConfigurationError } from '../config/configuration-error.js';
import { AuthError } from './auth-errors.js';
import type { Principal } from './principal.js';
import { VerifiedTokens } from './verified-tokens.js';

/** How tokens are verified; the algorithms follow from the key alone, never from the token. */
export interface TokenVerifierOptions {
  readonly key:
    | { readonly kind: 'secret'; readonly secret: string }
    | { readonly kind: 'public_key'; readonly pem: string }
    | { readonly kind: 'jwks'; readonly url: string };
  readonly issuer: string | null;
  readonly audience: string | null;
}

/** Longest token that is looked at, in characters. */
const MAX_TOKEN_LENGTH = 8_192;

/** Seconds that the clocks of issuer and service may differ. */
const CLOCK_TOLERANCE = 5;

/**
 * Milliseconds that a key set, and after it a token that one of its keys has signed, are believed without asking the issuer
 * again: a key that was revoked or rotated away counts for no longer than both together.
 */
const KEY_SET_AGE_MS = 30_000;

/** By the kind of public key. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['rsa', 'RS256'],
  ['ec', 'ES256'],
  ['ed25519', 'EdDSA'],
]);

const TENANT_ID = /^[A-Za-z0-9_-]{1,64}$/;

type Verify = (token: string, currentDate: Date) => Promise<{ readonly payload: JWTPayload }>;

/** Verifies bearer tokens: HS256 with a secret; RS256, ES256 or EdDSA with a public key or a key set (JWKS). */
export class TokenVerifier {
  private readonly verify: Verify;
  private readonly verified: VerifiedTokens;

  constructor(
    options: TokenVerifierOptions,
    private readonly nowMs: () => number = () => Date.now(),
    keySetAgeMs = KEY_SET_AGE_MS,
  ) {
    const claims: JWTVerifyOptions = {
      // The contract's claims are sub, tenant_id and scope; the times hold when an issuer sets them.
      requiredClaims: ['sub'],
      clockTolerance: CLOCK_TOLERANCE,
      ...(options.issuer === null ? {} : { issuer: options.issuer }),
      ...(options.audience === null ? {} : { audience: options.audience }),
    };
    this.verify = verifierOf(options.key, claims, keySetAgeMs);
    // A secret or a public key of the configuration changes with the process alone.
    this.verified = new VerifiedTokens(options.key.kind === 'jwks' ? keySetAgeMs : Infinity, nowMs);
  }

  /** @throws AuthError `not_authenticated`, or `auth_unavailable` when the key set cannot be fetched. */
  async principalOf(token: string): Promise<Principal> {
    if (token.length > MAX_TOKEN_LENGTH) throw new AuthError('not_authenticated');
    const known = this.verified.find(token);
    if (known !== null) return known;
    try {
      const { payload } = await this.verify(token, new Date(this.nowMs()));
      const principal = toPrincipal(payload);
      const expiresAtMs = payload.exp === undefined ? null : (payload.exp + CLOCK_TOLERANCE) * 1_000;
      this.verified.remember(token, principal, expiresAtMs);
      return principal;
    } catch (cause) {
      throw new AuthError(isOutage(cause) ? 'auth_unavailable' : 'not_authenticated');
    }
  }
}

function verifierOf(key: TokenVerifierOptions['key'], claims: JWTVerifyOptions, keySetAgeMs: number): Verify {
  if (key.kind === 'secret') {
    const secret = new TextEncoder().encode(key.secret);
    return (token, currentDate) =>
      jwtVerify(token, secret, { ...claims, currentDate, algorithms: ['HS256'] });
  }
  if (key.kind === 'public_key') {
    const publicKey = createPublicKey(key.pem);
    const algorithms = [algorithmOf(publicKey)];
    return (token, currentDate) => jwtVerify(token, publicKey, { ...claims, currentDate, algorithms });
  }
  const keySet: JWTVerifyGetKey = createRemoteJWKSet(new URL(key.url), {
    timeoutDuration: 3_000,
    cacheMaxAge: keySetAgeMs,
    [customFetch]: fetchFromIssuer(),
  });
  return (token, currentDate) =>
    jwtVerify(token, keySet, { ...claims, currentDate, algorithms: ['RS256', 'ES256', 'EdDSA'] });
}

/**
 * Whoever answers in the issuer's place says who everybody is: its certificate is checked, also where
 * NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment changes Node's default.
 */
function fetchFromIssuer(): FetchImplementation {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: true } });
  return (url, { headers, ...options }) => fetchBy(url, { ...options, headers: [...headers], dispatcher });
}

/** @throws ConfigurationError for keys of other kinds, at boot. */
function algorithmOf(publicKey: KeyObject): string {
  const algorithm = ALGORITHMS.get(publicKey.asymmetricKeyType ?? '');
  if (algorithm !== undefined) return algorithm;
  throw new ConfigurationError(['JWT_PUBLIC_KEY: expected an RSA, P-256 or Ed25519 public key']);
}

function toPrincipal(payload: JWTPayload): Principal {
  const tenantId = payload['tenant_id'];
  const scope = payload['scope'];
  return {
    subject: payload.sub ?? '',
    tenantId: typeof tenantId === 'string' && TENANT_ID.test(tenantId) ? tenantId : null,
    scopes: new Set(typeof scope === 'string' ? scope.split(' ').filter((item) => item !== '') : []),
  };
}

/** A key set that does not answer is our trouble, not the caller's; an unknown key in it is the caller's. */
function isOutage(cause: unknown): boolean {
  if (cause instanceof errors.JWKSTimeout) return true;
  if (cause instanceof errors.JOSEError) return cause.code === 'ERR_JOSE_GENERIC';
  // Not by `instanceof`: the error of `fetch` comes from another realm when this runs inside a vm context.
  return types.isNativeError(cause) && cause.message === 'fetch failed';
}
