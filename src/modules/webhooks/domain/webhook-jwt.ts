import { createHash } from 'node:crypto';

import type { RawBody } from './standard-signature.js';

/** The header that carries the JWT, and what its `typ` says: a token for something else must not pass for one of these. */
export const JWT_HEADER = 'X-Webhook-JWT';
export const JWT_TYPE = 'webhook+jwt';

/** What a JWT says of the request that it comes with. */
export interface WebhookJwtClaims {
  readonly iss: string;
  /** The subscription. */
  readonly sub: string;
  /** The origin of the target. */
  readonly aud: string;
  /** The delivery: the same for every attempt of it. */
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly event: string;
  /** Of the exact bytes of the body, in hex. */
  readonly body_sha256: string;
}

export interface WebhookJwtSubject {
  readonly issuer: string;
  readonly subscriptionId: string;
  readonly targetUrl: string;
  readonly deliveryId: string;
  readonly event: string;
  readonly body: RawBody;
}

export function webhookJwtClaims(
  { issuer, subscriptionId, targetUrl, deliveryId, event, body }: WebhookJwtSubject,
  nowSeconds: number,
  ttlSeconds: number,
): WebhookJwtClaims {
  return {
    iss: issuer,
    sub: subscriptionId,
    aud: new URL(targetUrl).origin,
    jti: deliveryId,
    iat: nowSeconds,
    exp: nowSeconds + ttlSeconds,
    event,
    body_sha256: bodyDigest(body),
  };
}

export function bodyDigest(body: RawBody): string {
  return createHash('sha256').update(body).digest('hex');
}
