import type { Delivery } from './delivery.js';

/** An event that was emitted, whether anybody was subscribed or not. */
export interface StoredEvent {
  readonly id: string;
  readonly tenantId: string;
  readonly event: string;
  /** How many deliveries it has: 0 when nobody was subscribed. */
  readonly deliveryCount: number;
  /** Subscriptions that got it when it was emitted. */
  readonly matched: number;
  /** Subscriptions that listened to it then and whose filter kept it back. */
  readonly filtered: number;
  /** It was made to test an endpoint. */
  readonly isTest: boolean;
  readonly createdAt: Date;
}

export interface StoredEventDetail extends StoredEvent {
  /** The JSON text as it was given; null once retention has removed it. */
  readonly payload: string | null;
  /** Ids of those subscriptions. */
  readonly filteredBy: readonly string[];
  /** Where it went, oldest first. */
  readonly deliveries: readonly Delivery[];
}
