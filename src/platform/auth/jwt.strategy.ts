import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';

import { BearerStrategy } from './bearer-strategy.js';
import type { RequestWithHeaders } from './bearer-token.js';
import type { Principal } from './principal.js';
import { RequestPrincipals } from './request-principals.js';

@Injectable()
export class JwtStrategy extends PassportStrategy(BearerStrategy, 'jwt') {
  constructor(private readonly principals: RequestPrincipals) {
    super();
  }

  async validate(request: RequestWithHeaders): Promise<Principal | null> {
    return this.principals.of(request);
  }
}
