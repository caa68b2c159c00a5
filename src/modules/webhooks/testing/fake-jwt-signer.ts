import { createHmac, type KeyObject } from 'node:crypto';

import { JwtSigner } from '../application/ports/jwt-signer.js';
import type { JwtAlgorithm } from '../domain/signature-scheme.js';
import { JWT_TYPE, type WebhookJwtClaims } from '../domain/webhook-jwt.js';

/** Signs HS256 for real; for other algorithms it leaves the signature to be imagined. */
export class FakeJwtSigner extends JwtSigner {
  override async sign(alg: JwtAlgorithm, claims: WebhookJwtClaims, secret: KeyObject): Promise<string> {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encode({ alg, typ: JWT_TYPE })}.${encode(claims)}`;
    const signature = alg === 'HS256' ? createHmac('sha256', secret).update(signed).digest('base64url') : alg;
    return Promise.resolve(`${signed}.${signature}`);
  }
}
