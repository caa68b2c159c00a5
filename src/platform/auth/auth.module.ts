import { Global, Module, type DynamicModule } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';

import { JwtStrategy } from './jwt.strategy.js';
import { RequestPrincipals } from './request-principals.js';
import { TokenVerifier, type TokenVerifierOptions } from './token-verifier.js';

/** Bearer tokens for every module. */
@Global()
@Module({})
export class AuthModule {
  static forRoot(options: TokenVerifierOptions): DynamicModule {
    return {
      module: AuthModule,
      imports: [PassportModule.register({ defaultStrategy: 'jwt', session: false })],
      providers: [
        { provide: TokenVerifier, useFactory: () => new TokenVerifier(options) },
        RequestPrincipals,
        JwtStrategy,
      ],
      exports: [RequestPrincipals],
    };
  }
}
