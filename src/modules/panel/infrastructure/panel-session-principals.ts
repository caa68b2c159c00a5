import { Injectable } from '@nestjs/common';

import { isRead } from '../../../platform/auth/cookie-rule.js';
import type { Principal } from '../../../platform/auth/principal.js';
import { SessionPrincipals, type SessionUse } from '../../../platform/auth/session-principals.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { FindPanelSession } from '../application/find-panel-session.js';
import { SESSION_LIMITS } from '../domain/panel-session.js';

/** Sessions of the panel as another way to say who asks. */
@Injectable()
export class PanelSessionPrincipals extends SessionPrincipals {
  constructor(
    private readonly findSession: FindPanelSession,
    private readonly clock: Clock,
  ) {
    super();
  }

  override async find(
    token: string,
    { kind, method, path, requestId }: SessionUse,
  ): Promise<Principal | null> {
    const isUse = kind === 'request';
    const isChange = isUse && !isRead(method);
    const session = await this.findSession.execute(token, { isUse, isChange, method, path, requestId });
    if (session === null) return null;
    const { id, tenantId, subject, scopes, isReadOnly, ageMs } = session;
    const endsAt = new Date(this.clock.nowMs() + SESSION_LIMITS.totalMs - ageMs);
    return { subject, tenantId, scopes: new Set(scopes), session: { id, isReadOnly, endsAt } };
  }
}
