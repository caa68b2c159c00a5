import type { Lane } from '../../domain/lane.js';
import type { Notice } from '../../domain/operational-event.js';
import type { Transaction } from './transaction.js';

/** An active subscription that listens to an operational event. */
export interface NoticeListener {
  readonly id: string;
  /** JSON text; null: it wants every payload. */
  readonly filter: string | null;
}

/** An operational event on its way into the store. */
export interface ToldEvent {
  readonly id: string;
  readonly event: string;
  /** JSON text. */
  readonly payload: string;
  readonly to: readonly string[];
  /** Subscriptions that listen and whose filter keeps it back. */
  readonly filteredBy: readonly string[];
}

/**
 * What was noted with transitions of endpoints and deliveries, and is to be made an event of. Must not come in: noting, which
 * the statements of the transitions do, and what such an event says.
 */
export abstract class Notices {
  /** Tenants that something is to be told to now. */
  abstract dueTenants(limit: number): Promise<readonly string[]>;
  /**
   * Takes what is due of the tenant, oldest first: it is told when the transaction commits, and once. Nothing where another
   * process is at it.
   */
  abstract take(transaction: Transaction, limit: number): Promise<readonly Notice[]>;
  /** Who listens to one of the patterns, but for the endpoint that it is about. */
  abstract listeners(
    transaction: Transaction,
    patterns: readonly string[],
    about: string,
  ): Promise<readonly NoticeListener[]>;
  /** Stores the event with its deliveries. @returns the lanes that it goes to */
  abstract store(transaction: Transaction, event: ToldEvent): Promise<readonly Lane[]>;
}
