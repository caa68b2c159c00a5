import { buildEnvelope } from './event-envelope.js';
import { disabledReason } from './subscription.js';

/** What the service tells of an endpoint, or of its deliveries. */
export const NOTICE_KINDS = ['failing', 'recovered', 'disabled', 'exhausted'] as const;

export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Something to be told, as it was noted with the transition that it is about. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly at: Date;
  readonly details: Readonly<Record<string, unknown>>;
  /** Deliveries that were exhausted since it was told last. */
  readonly count: number;
  readonly endpoint: {
    readonly id: string;
    readonly url: string;
    readonly events: readonly string[];
  };
}

/** The operational event of each kind. Nobody but the service emits them, and they are matched by name or by `webhook.…*` alone. */
export const OPERATIONAL_EVENTS: Readonly<Record<NoticeKind, string>> = {
  failing: 'webhook.endpoint.failing',
  recovered: 'webhook.endpoint.recovered',
  disabled: 'webhook.endpoint.disabled',
  exhausted: 'webhook.delivery.exhausted',
};

const NAMES: ReadonlySet<string> = new Set(Object.values(OPERATIONAL_EVENTS));

/** Whether an event is one that the service tells of itself: what becomes of it is not told again. */
export function isOperational(event: string): boolean {
  return NAMES.has(event);
}

/** What a notice is sent as. */
export function operationalEvent(
  tenantId: string,
  { kind, at, details, count, endpoint }: Notice,
): { readonly event: string; readonly payload: object } {
  const event = OPERATIONAL_EVENTS[kind];
  const about = { subscription_id: endpoint.id, url: withoutQuery(endpoint.url), events: endpoint.events };
  const isDelivery = kind === 'exhausted';
  const payload = buildEnvelope({
    event,
    resourceType: isDelivery ? 'webhook_delivery' : 'webhook_endpoint',
    resourceId: isDelivery ? String(details['delivery_id']) : endpoint.id,
    tenantId,
    data: { ...about, ...details, ...(isDelivery ? { count } : {}), ...disabledAs(kind, details) },
    occurredAt: at,
  });
  return { event, payload };
}

function disabledAs(kind: NoticeKind, { reason }: Notice['details']): object {
  if (kind !== 'disabled') return {};
  return { disabled_reason: disabledReason({ active: false, deactivationReason: String(reason) }) };
}

/** Queries may carry tokens, and this goes to another endpoint than the one that it is about. */
function withoutQuery(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
