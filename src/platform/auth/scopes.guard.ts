import {
  Injectable,
  SetMetadata,
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { AuthError } from './auth-errors.js';
import { principalOf } from './current-principal.js';

const SCOPES = 'platform:scopes';

/** The scopes that a token needs for this route, all of them. */
export const RequireScopes = (...scopes: readonly string[]): CustomDecorator => SetMetadata(SCOPES, scopes);

/** After {@link JwtAuthGuard}: demands a tenant and the route's scopes. */
@Injectable()
export class ScopesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const principal = principalOf(context);
    if (principal.tenantId === null) throw new AuthError('tenant_required');
    const needed = this.reflector.getAllAndOverride<readonly string[] | undefined>(SCOPES, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!(needed ?? []).every((scope) => principal.scopes.has(scope)))
      throw new AuthError('insufficient_scope');
    return true;
  }
}
