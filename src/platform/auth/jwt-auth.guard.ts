import { Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';

import { AuthError } from './auth-errors.js';

/** Lets requests with a valid bearer token pass and puts the principal on them. */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  override handleRequest<T>(cause: unknown, principal: T | false): T {
    if (cause instanceof AuthError) throw cause;
    if (cause instanceof Error) throw cause;
    if (principal === false) throw new AuthError('not_authenticated');
    return principal;
  }
}
