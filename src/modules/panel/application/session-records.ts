import { actorOf, type Actor } from '../../../platform/kernel/actor.js';
import type { LogFields } from '../../../platform/kernel/app-logger.js';
import type { AuditTrail, NewAuditEntry } from '../../webhooks/index.js';
import type { PanelSession } from '../domain/panel-session.js';
import type { WithChange } from './ports/panel-sessions.js';

/** Records a change of a session in its tenant's audit trail. */
export function recorded(trail: AuditTrail, action: NewAuditEntry['action'], actor: Actor): WithChange {
  return async (transaction, { id, isReadOnly, scopes }) => {
    await trail.record(transaction, {
      ...{ tenantId: transaction.tenantId, actor, action },
      ...{ resourceType: 'panel_session', resourceId: id },
      details: { read_only: isReadOnly, scope: scopes.join(' ') },
    });
  };
}

/** The same where whoever asks is known by the session alone. */
export function recordedAsOwner(
  trail: AuditTrail,
  action: NewAuditEntry['action'],
  requestId: string | null,
): WithChange {
  return async (transaction, session) =>
    recorded(trail, action, actorOf(session.subject, requestId))(transaction, session);
}

/** A session as the log names it: whose it is, and nothing that opens it. */
export function logged(session: PanelSession, requestId: string | null): LogFields {
  const { id, tenantId, subject, isReadOnly } = session;
  return { sessionId: id, tenantId, actor: subject, readOnly: isReadOnly, requestId };
}
