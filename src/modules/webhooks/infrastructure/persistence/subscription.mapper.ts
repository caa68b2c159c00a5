import type { Subscription } from '../../domain/subscription.js';
import { fromStoredSettings } from '../../domain/subscription-settings.js';
import type { SubscriptionRow } from './subscription.row.js';

export function toSubscription(row: SubscriptionRow): Subscription {
  return {
    id: row.id,
    tenantId: row.tenantId,
    event: row.event,
    events: [row.event, ...row.moreEvents],
    url: row.url,
    description: row.description,
    active: row.active,
    deactivationReason: row.deactivationReason,
    deactivatedAt: row.deactivatedAt,
    secretRotatedAt: row.secretRotatedAt,
    previousSecretExpiresAt: row.previousSecretExpiresAt,
    settings: fromStoredSettings(row.settings),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
