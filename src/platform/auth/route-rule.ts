import type { Principal } from './principal.js';

/** What a route asks of whoever calls it. */
export interface RouteDemands {
  /** All of them. */
  readonly scopes: readonly string[];
  readonly needsTenant: boolean;
  /** By its verb. */
  readonly isRead: boolean;
}

/** Scopes that allow to look and nothing else, by their name. */
const READ_SCOPE = /:read$/;

/**
 * Whether somebody may call a route; null when so. A session for looking alone has no scopes to write with, and of scopes that
 * are for both, such as an administrator's, it has only the half that looks.
 */
export function refusalOf(
  { tenantId, scopes, session }: Principal,
  route: RouteDemands,
): 'tenant_required' | 'insufficient_scope' | null {
  if (route.needsTenant && tenantId === null) return 'tenant_required';
  if (!route.scopes.every((scope) => scopes.has(scope))) return 'insufficient_scope';
  const onlyLooks =
    route.isRead || (route.scopes.length > 0 && route.scopes.every((scope) => READ_SCOPE.test(scope)));
  return session?.isReadOnly === true && !onlyLooks ? 'insufficient_scope' : null;
}
