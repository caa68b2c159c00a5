import { Global, Module, type DynamicModule } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';

import { JwtStrategy } from './jwt.strategy.js';
import { PublicOrigin } from './public-origin.js';
import { RequestPrincipals } from './request-principals.js';
import { TokenVerifier, type TokenVerifierOptions } from './token-verifier.js';

/** Who asks, for every module: by a bearer token, or by the session of a module that offers `SessionPrincipals`. */
@Global()
@Module({})
export class AuthModule {
  static forRoot(options: TokenVerifierOptions, publicOrigin: string | null): DynamicModule {
    return {
      module: AuthModule,
      imports: [PassportModule.register({ defaultStrategy: 'jwt', session: false })],
      providers: [
        { provide: TokenVerifier, useFactory: () => new TokenVerifier(options) },
        { provide: PublicOrigin, useValue: new PublicOrigin(publicOrigin) },
        RequestPrincipals,
        JwtStrategy,
      ],
      exports: [RequestPrincipals, PublicOrigin],
    };
  }
}
