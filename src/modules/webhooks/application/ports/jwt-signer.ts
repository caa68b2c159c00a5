import type { KeyObject } from 'node:crypto';

import type { JwtAlgorithm } from '../../domain/signature-scheme.js';
import type { WebhookJwtClaims } from '../../domain/webhook-jwt.js';

/** Makes the JWT of a request. Must not come in: what it says. */
export abstract class JwtSigner {
  /** @param secret of the subscription, for HS256 */
  abstract sign(alg: JwtAlgorithm, claims: WebhookJwtClaims, secret: KeyObject): Promise<string>;
}
