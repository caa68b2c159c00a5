import type { KeyObject } from 'node:crypto';

import { Injectable } from '@nestjs/common';
import { SignJWT } from 'jose';

import { JwtSigner } from '../../application/ports/jwt-signer.js';
import { PublishedKeys } from '../../application/published-keys.js';
import type { JwtAlgorithm } from '../../domain/signature-scheme.js';
import { JWT_TYPE, type WebhookJwtClaims } from '../../domain/webhook-jwt.js';

@Injectable()
export class JoseJwtSigner extends JwtSigner {
  constructor(private readonly keys: PublishedKeys) {
    super();
  }

  override async sign(alg: JwtAlgorithm, claims: WebhookJwtClaims, secret: KeyObject): Promise<string> {
    const { kid, key } = alg === 'HS256' ? { kid: undefined, key: secret } : await this.keys.signing(alg);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg, typ: JWT_TYPE, ...(kid === undefined ? {} : { kid }) })
      .sign(key);
  }
}
