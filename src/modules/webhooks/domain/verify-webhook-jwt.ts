import { createHmac, createPublicKey, timingSafeEqual, verify, type JsonWebKey } from 'node:crypto';

import { headerOf, type ReceivedHeaders } from './received-headers.js';
import { isRawBody, type RawBody } from './standard-signature.js';
import { xSignatureKey } from './signing-key.js';
import type { JwtAlgorithm } from './signature-scheme.js';
import { bodyDigest, JWT_HEADER, JWT_TYPE } from './webhook-jwt.js';

export interface JwtVerificationInput {
  readonly headers: ReceivedHeaders;
  /** The exact bytes of the request's body. */
  readonly body: RawBody;
  /** The algorithm that the subscription asked for; a token of any other is refused. */
  readonly alg: JwtAlgorithm;
  /** The id of the subscription: everybody's requests are signed with the same published keys. */
  readonly subscriptionId: string;
  /** For EdDSA and ES256: what `/.well-known/webhooks/jwks.json` answered. */
  readonly jwks?: { readonly keys: readonly JsonWebKey[] };
  /** For HS256: the subscription's secret, or all that are valid while one is being replaced. */
  readonly secret?: string | readonly string[];
  /** The origin that the request was sent to, such as `https://hooks.customer.com`. */
  readonly audience: string;
  /** Checked when given. */
  readonly issuer?: string;
  /** How far the clocks may be apart, in seconds. Default 60. */
  readonly toleranceSeconds?: number;
  /** The time to compare with, in seconds since the epoch. Default: the system clock. */
  readonly nowSeconds?: number;
}

export type JwtRefusal =
  | 'missing_header'
  | 'malformed_token'
  | 'algorithm_not_allowed'
  | 'unknown_key'
  | 'signature_mismatch'
  | 'timestamp_out_of_tolerance'
  | 'other_subscription'
  | 'other_audience'
  | 'other_issuer'
  | 'body_not_raw'
  | 'body_changed';

export type JwtVerification =
  /** `id` is that of the delivery, the same for every attempt: handle each once. */
  | { readonly ok: true; readonly id: string; readonly event: string; readonly issuedAtSeconds: number }
  /** `reason` is stable, `message` is for a log; neither holds secret material. */
  | { readonly ok: false; readonly reason: JwtRefusal; readonly message: string };

const DEFAULT_TOLERANCE_SECONDS = 60;
const MAX_TOKEN_LENGTH = 8_192;
const PART = /^[A-Za-z0-9_-]+$/;

/** The kind of key that belongs to an algorithm: a token must not choose how a key is used. */
const KEY_OF = {
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  ES256: { kty: 'EC', crv: 'P-256' },
} as const;

/** See `WebhookSignature.verifyJwt`. */
export function verifyWebhookJwt(input: JwtVerificationInput): JwtVerification {
  const token = headerOf(input.headers, JWT_HEADER.toLowerCase());
  if (token === '') return refuse('missing_header', `Header ${JWT_HEADER} is missing`);
  const parts = token.split('.');
  const [head = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3 || token.length > MAX_TOKEN_LENGTH || !parts.every((part) => PART.test(part))) {
    return refuse('malformed_token', 'The token is not a JWT');
  }
  const header = decoded(head);
  const claims = decoded(payload);
  if (header === null || claims === null) return refuse('malformed_token', 'The token is not a JWT');
  if (header['alg'] !== input.alg || header['typ'] !== JWT_TYPE) {
    return refuse('algorithm_not_allowed', `The token is not of type ${JWT_TYPE} and algorithm ${input.alg}`);
  }
  const judged = judgeSignature(
    input,
    header['kid'],
    `${head}.${payload}`,
    Buffer.from(signature, 'base64url'),
  );
  return judged ?? judgeClaims(input, claims);
}

/** @returns null when the signature fits */
function judgeSignature(
  { alg, jwks, secret }: JwtVerificationInput,
  kid: unknown,
  signed: string,
  signature: Buffer,
): JwtVerification | null {
  const mismatch = refuse('signature_mismatch', 'The signature of the token does not fit');
  if (alg === 'HS256') {
    const given: readonly unknown[] = Array.isArray(secret) ? secret : [secret];
    const secrets = given.filter((one): one is string => typeof one === 'string' && one !== '');
    if (secrets.length === 0) return refuse('unknown_key', 'HS256 needs the secret of the subscription');
    const fits = secrets.some((one) => {
      const expected = createHmac('sha256', xSignatureKey(one)).update(signed).digest();
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    });
    return fits ? null : mismatch;
  }
  const { kty, crv } = KEY_OF[alg];
  const jwk = jwks?.keys.find((key) => key['kid'] === kid && key.kty === kty && key.crv === crv);
  if (jwk === undefined) {
    return refuse('unknown_key', 'No key of the key set has the id that the token names: fetch it again');
  }
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const fits =
      alg === 'EdDSA'
        ? verify(null, Buffer.from(signed), key, signature)
        : verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature);
    return fits ? null : mismatch;
  } catch (cause) {
    return refuse('unknown_key', `The key of the token cannot be used: ${String(cause)}`);
  }
}

function judgeClaims(input: JwtVerificationInput, claims: Record<string, unknown>): JwtVerification {
  const { iss, sub, aud, jti, iat, exp, event, body_sha256: digest } = claims;
  if (typeof jti !== 'string' || typeof event !== 'string' || !isTime(iat) || !isTime(exp)) {
    return refuse('malformed_token', 'The token lacks jti, event, iat or exp');
  }
  if (sub !== input.subscriptionId)
    return refuse('other_subscription', 'The token is for another subscription');
  if (aud !== input.audience) return refuse('other_audience', 'The token is for another origin');
  if (input.issuer !== undefined && iss !== input.issuer) {
    return refuse('other_issuer', 'The token is of another issuer');
  }
  const nowSeconds = input.nowSeconds ?? Math.floor(Date.now() / 1_000);
  const tolerance = input.toleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS;
  // Written so that NaN, from a misconfigured tolerance or clock, is refused as well.
  if (!(nowSeconds <= exp + tolerance && nowSeconds >= iat - tolerance)) {
    return refuse('timestamp_out_of_tolerance', 'The token is over, or not valid yet by this clock');
  }
  if (!isRawBody(input.body)) {
    return refuse('body_not_raw', 'The body must be the text or bytes as received, before any JSON parsing');
  }
  if (digest !== bodyDigest(input.body))
    return refuse('body_changed', 'The body is not the one that was signed');
  return { ok: true, id: jti, event, issuedAtSeconds: iat };
}

function decoded(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function refuse(reason: JwtRefusal, message: string): JwtVerification {
  return { ok: false, reason, message };
}
