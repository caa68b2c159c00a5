import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

import { actorOf, type Actor } from '../kernel/actor.js';
import { AuthError } from './auth-errors.js';
import type { Principal } from './principal.js';

/** The verified principal of a guarded request. @throws AuthError when there is none. */
export function principalOf(context: ExecutionContext): Principal {
  const request = context.switchToHttp().getRequest<{ user?: Principal }>();
  if (request.user === undefined) throw new AuthError('not_authenticated');
  return request.user;
}

/** The tenant of the token, as a parameter of a guarded route. */
export const CurrentTenant = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { tenantId } = principalOf(context);
  if (tenantId === null) throw new AuthError('tenant_required');
  return tenantId;
});

/** Whoever asks, as a parameter of a guarded route. */
export const CurrentPrincipal = createParamDecorator((_data: unknown, context: ExecutionContext): Principal =>
  principalOf(context),
);

/** Who asks, as the audit trail has it, as a parameter of a guarded route. */
export const CurrentActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const request = context.switchToHttp().getRequest<{ readonly id?: unknown }>();
  const { subject, session } = principalOf(context);
  const actor = actorOf(subject, typeof request.id === 'string' ? request.id : null);
  return session === undefined ? actor : { ...actor, sessionId: session.id };
});
