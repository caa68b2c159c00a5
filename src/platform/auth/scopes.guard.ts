import {
  Injectable,
  SetMetadata,
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { AuthError } from './auth-errors.js';
import { isRead } from './cookie-rule.js';
import { principalOf } from './current-principal.js';
import { refusalOf } from './route-rule.js';

const SCOPES = 'platform:scopes';
const NO_TENANT = 'platform:no-tenant';

/** The scopes that a token needs for this route, all of them. */
export const RequireScopes = (...scopes: readonly string[]): CustomDecorator => SetMetadata(SCOPES, scopes);

/** A route that is about no tenant: none is asked for. */
export const WithoutTenant = (): CustomDecorator => SetMetadata(NO_TENANT, true);

/** After {@link JwtAuthGuard}: demands a tenant and the route's scopes. */
@Injectable()
export class ScopesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const of = <T>(key: string): T | undefined =>
      this.reflector.getAllAndOverride<T | undefined>(key, [context.getHandler(), context.getClass()]);
    const { method } = context.switchToHttp().getRequest<{ readonly method: string }>();
    const refusal = refusalOf(principalOf(context), {
      scopes: of<readonly string[]>(SCOPES) ?? [],
      needsTenant: of<boolean>(NO_TENANT) !== true,
      isRead: isRead(method),
    });
    if (refusal !== null) throw new AuthError(refusal);
    return true;
  }
}
