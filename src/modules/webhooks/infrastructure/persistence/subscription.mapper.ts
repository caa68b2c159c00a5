import type { Subscription } from '../../domain/subscription.js';
import { fromStoredSettings } from '../../domain/subscription-settings.js';
import { USUAL_STATE, type LaneState } from './lane-states.js';
import type { SubscriptionRow } from './subscription.row.js';

/** @param lanes what their lanes show, by their ids */
export function toSubscription(row: SubscriptionRow, lanes: ReadonlyMap<string, LaneState>): Subscription {
  return {
    id: row.id,
    tenantId: row.tenantId,
    event: row.event,
    events: [row.event, ...row.moreEvents],
    url: row.url,
    description: row.description,
    filter: row.filter,
    active: row.active,
    ...(lanes.get(row.id) ?? USUAL_STATE),
    deactivationReason: row.deactivationReason,
    deactivatedAt: row.deactivatedAt,
    secretRotatedAt: row.secretRotatedAt,
    previousSecretExpiresAt: row.previousSecretExpiresAt,
    settings: fromStoredSettings(row.settings),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
