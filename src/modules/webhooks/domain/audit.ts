/** What is recorded, in the words of the API. One entry for each change. */
export const AUDIT_ACTIONS = [
  'subscription.created',
  'subscription.updated',
  'subscription.secret_rotated',
  'subscription.paused',
  'subscription.resumed',
  'subscription.deactivated',
  'subscription.circuit_reset',
  'subscription.tested',
  'delivery.requested',
  'delivery.retried',
  'delivery.cancelled',
  'event.replayed',
  'task.started',
  'task.cancelled',
  'panel_session.created',
  'panel_session.opened',
  'panel_session.closed',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What an entry is about; `event` is what a request to deliver stored. */
export const AUDIT_RESOURCES = ['subscription', 'event', 'delivery', 'task', 'panel_session'] as const;

export type AuditResource = (typeof AUDIT_RESOURCES)[number];

/** `token`: somebody with a token of the tenant. `system`: the service by itself. A token's `sub` may say "system" too. */
export const AUDIT_ACTOR_TYPES = ['token', 'system'] as const;

export type AuditActorType = (typeof AUDIT_ACTOR_TYPES)[number];

/** The actor of what the service does by itself. */
export const SYSTEM_ACTOR = 'system';

/** Facts about a change: never a secret, a payload, or the query of a URL. Undefined ones are left out. */
export type AuditDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line of the trail. */
export interface AuditEntry {
  readonly id: string;
  readonly at: Date;
  readonly actorType: AuditActorType;
  readonly actor: string;
  readonly action: AuditAction;
  readonly resourceType: AuditResource;
  readonly resourceId: string;
  readonly details: AuditDetails;
  readonly requestId: string | null;
}

/** A target as the trail shows it. Receivers put tokens into queries, and what is in the trail stays there. */
export function auditedUrl(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : `${url.slice(0, end)}?…`;
}
