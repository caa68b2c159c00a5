import type { Lane } from '../../domain/lane.js';
import type { Transaction } from './transaction.js';

/** An event on its way into the store. */
export interface NewEvent {
  readonly id: string;
  readonly tenantId: string;
  readonly event: string;
  /** Every subscription pattern that matches `event`. */
  readonly patterns: readonly string[];
  /** The JSON text, stored and sent byte for byte. */
  readonly payload: string;
  /** What makes a repeated request recognisable; null when the caller gave no key. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null;
  /** Within which order is kept, for endpoints that want it; left out: with all that have none. */
  readonly orderingKey?: string | null;
  /** True: without a matching subscription nothing is stored at all. */
  readonly onlyIfMatched: boolean;
}

export type AppendResult =
  | { readonly kind: 'stored'; readonly deliveryIds: readonly string[]; readonly lanes: readonly Lane[] }
  | { readonly kind: 'unmatched' }
  /** The idempotency key is taken: what the first request with it stored. */
  | {
      readonly kind: 'repeated';
      readonly eventId: string;
      readonly fingerprint: string;
      readonly deliveryIds: readonly string[];
    };

/**
 * Writes an event and its deliveries inside a transaction that somebody else opened. Belongs here: the fan-out, the
 * idempotency key, announcing after commit. Must not come in: sending, validation of the event.
 */
export abstract class EventOutbox {
  abstract append(transaction: Transaction, event: NewEvent): Promise<AppendResult>;
  /** Rings the lanes and counts the event when the transaction commits; nothing happens when it rolls back. */
  abstract announceAfterCommit(transaction: Transaction, event: string, lanes: readonly Lane[]): void;
}
