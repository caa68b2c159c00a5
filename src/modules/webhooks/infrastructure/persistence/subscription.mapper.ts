import type { Subscription } from '../../domain/subscription.js';
import { fromStoredSettings } from '../../domain/subscription-settings.js';
import type { SubscriptionRow } from './subscription.row.js';

/** @param paused ids of those that are */
export function toSubscription(row: SubscriptionRow, paused: ReadonlySet<string>): Subscription {
  return {
    id: row.id,
    tenantId: row.tenantId,
    event: row.event,
    events: [row.event, ...row.moreEvents],
    url: row.url,
    description: row.description,
    filter: row.filter,
    active: row.active,
    isPaused: paused.has(row.id),
    deactivationReason: row.deactivationReason,
    deactivatedAt: row.deactivatedAt,
    secretRotatedAt: row.secretRotatedAt,
    previousSecretExpiresAt: row.previousSecretExpiresAt,
    settings: fromStoredSettings(row.settings),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
