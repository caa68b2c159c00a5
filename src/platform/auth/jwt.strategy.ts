import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';

import { BearerStrategy } from './bearer-strategy.js';
import type { Principal } from './principal.js';
import { TokenVerifier } from './token-verifier.js';

@Injectable()
export class JwtStrategy extends PassportStrategy(BearerStrategy, 'jwt') {
  constructor(private readonly verifier: TokenVerifier) {
    super();
  }

  async validate(token: string): Promise<Principal> {
    return this.verifier.principalOf(token);
  }
}
