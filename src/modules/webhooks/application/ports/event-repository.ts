import type { Lane } from '../../domain/lane.js';
import type { StoredEvent, StoredEventDetail } from '../../domain/stored-event.js';
import type { Transaction } from './transaction.js';

export interface EventFilter {
  readonly event?: string | undefined;
  /** Created at or after. */
  readonly since?: Date | undefined;
  /** Created before. */
  readonly until?: Date | undefined;
  /** True: only those with a delivery; false: only those that nobody was subscribed to. */
  readonly matched?: boolean | undefined;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  readonly hasMore: boolean;
}

/** An event of which a replay is asked. */
export interface ReplayableEvent {
  readonly event: string;
  /** There is nothing left to send. */
  readonly payloadExpired: boolean;
}

/** Who gets an event again: whoever matches it now, or one subscription. */
export type ReplayTarget =
  | {
      readonly kind: 'matching';
      readonly patterns: readonly string[];
      /** Subscriptions whose filter keeps it back. */
      readonly except: readonly string[];
    }
  | { readonly kind: 'subscription'; readonly subscriptionId: string };

/** An event's payload, and the filters of active subscriptions that its name matches. */
export interface ListeningFilters {
  /** JSON text. */
  readonly payload: string;
  readonly filters: readonly { readonly subscriptionId: string; readonly filter: string }[];
}

export interface ReplayedDeliveries {
  /** Active subscriptions that it goes to. */
  readonly targets: number;
  /** What is due now; a delivery that was being sent already is not among them. */
  readonly deliveryIds: readonly string[];
  readonly lanes: readonly Lane[];
}

/** A tenant's stored events. Must not come in: emitting, which is the outbox's. */
export abstract class EventRepository {
  /** Newest first, starting after the event `afterId`. `limit` 1–100. */
  abstract list(
    transaction: Transaction,
    filter: EventFilter,
    limit: number,
    afterId: string | null,
  ): Promise<EventPage>;
  abstract findDetail(transaction: Transaction, id: string): Promise<StoredEventDetail | null>;
  /** What decides about a replay; null when there is no such event. */
  abstract findReplayable(transaction: Transaction, id: string): Promise<ReplayableEvent | null>;
  /** Null: no filter listens to it. */
  abstract listeningFilters(
    transaction: Transaction,
    id: string,
    patterns: readonly string[],
  ): Promise<ListeningFilters | null>;
  /**
   * Makes the event due, as a manual attempt, for every active subscription of the target: a delivery that exists is sent
   * again under its id (one that is being sent is left alone), a missing one is made. Parallel calls make no second one.
   */
  abstract replay(transaction: Transaction, id: string, target: ReplayTarget): Promise<ReplayedDeliveries>;
}
