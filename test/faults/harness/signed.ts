import type { JsonWebKey } from 'node:crypto';

import { WebhookSignature } from '../../../src/modules/webhooks/domain/signature.js';
import type { SignedRequest } from './history-receiver.js';
import type { Lane } from './lanes.js';

export interface KeySet {
  readonly keys: readonly JsonWebKey[];
}

/**
 * What is wrong with the headers that a lane asks for, and with its signatures; null: nothing. By the time that the request names: workers have clocks
 * of their own here.
 */
export function signatureProblem(
  { wish: { settings }, secret, publicKey, subscriptionId, url }: Lane,
  { headers, body }: SignedRequest,
  jwks: KeySet,
): string | null {
  const nowSeconds = Number(headers['webhook-timestamp']);
  const signature = settings?.signature;
  const missing = Object.entries(settings?.headers ?? {}).find(
    ([name, value]) => headers[name.toLowerCase()] !== value,
  );
  if (missing !== undefined) return `${missing[0]} is not as it was asked for`;
  if (!WebhookSignature.verifyRaw(secret, body, headers)) return 'X-Signature does not fit';
  for (const key of publicKey === null ? [secret] : [secret, publicKey]) {
    const standard = WebhookSignature.verifyStandard({ secret: key, headers, body, nowSeconds });
    if (!standard.ok) return standard.message;
  }
  if ((signature?.scheme === 'v1a') !== (publicKey !== null)) return 'the lane has no key pair';
  if (signature?.scheme !== 'jwt') return null;
  const { alg = 'EdDSA' } = signature;
  const token = WebhookSignature.verifyJwt({
    ...{ headers, body, alg, jwks, secret, subscriptionId, nowSeconds },
    audience: new URL(url).origin,
  });
  if (!token.ok) return token.message;
  return token.id === headers['webhook-id'] ? null : 'the token is of another delivery';
}
