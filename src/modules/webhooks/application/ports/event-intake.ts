import type { Actor } from '../../../../platform/kernel/actor.js';
import type { ClaimedDelivery } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';

/** An event that a request brings. */
export interface RequestedEvent {
  readonly id: string;
  readonly tenantId: string;
  readonly event: string;
  /** Every subscription pattern that matches `event`. */
  readonly patterns: readonly string[];
  /** The JSON text, stored and sent byte for byte. */
  readonly payload: string;
  /** Within which order is kept, for endpoints that want it; left out: with all that have none. */
  readonly orderingKey?: string | null;
  /** What makes a repeated request recognisable. */
  readonly fingerprint: string;
  /** Null when the caller gave none. */
  readonly idempotencyKey: string | null;
  /** For the audit trail. */
  readonly requestedBy: Actor;
}

/** Deliveries of one lane that were claimed where they were stored. */
export interface BornDeliveries {
  readonly lane: Lane;
  readonly claims: readonly ClaimedDelivery[];
}

/** A delivery that waits for a turn of its lane. */
export interface WaitingDelivery {
  readonly lane: Lane;
  readonly id: string;
}

export type IntakeResult =
  | {
      readonly kind: 'stored';
      readonly deliveryIds: readonly string[];
      /** Claimed by this process already: it sends them now. */
      readonly born: readonly BornDeliveries[];
      /** The others, whose lanes are to be rung. */
      readonly waiting: readonly WaitingDelivery[];
    }
  /** Nobody is subscribed: nothing was stored. */
  | { readonly kind: 'unmatched' }
  /** The idempotency key is taken: what the first request with it stored. */
  | {
      readonly kind: 'repeated';
      readonly eventId: string;
      readonly fingerprint: string;
      readonly deliveryIds: readonly string[];
    };

/** What the process that stores could send itself, at this moment. */
export abstract class BirthPlaces {
  /** New deliveries of a lane that could be sent at once. */
  abstract freePlaces(lane: Lane): number;
  /** The same of a lane that the process knows nothing of; null when it does not deliver at all, or not now. */
  abstract get freePlacesOfUnknown(): number | null;
  /** Requests of a lane that the process has under way. */
  abstract taken(lane: Lane): number;
}

/**
 * Stores events that requests bring, each in a transaction that commits before this resolves; many at a time may share one.
 * Belongs here: the fan-out, the idempotency key, the claims of what the process has places for. Must not come in: sending,
 * validation; events of modules, which are stored in transactions of their own (see EventOutbox).
 */
export abstract class EventIntake {
  abstract accept(event: RequestedEvent): Promise<IntakeResult>;
}
