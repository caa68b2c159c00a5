import type { ClaimedDelivery } from '../../domain/delivery.js';
import type { Transaction } from './transaction.js';

/** What a test of an endpoint sends. */
export interface TestEvent {
  readonly id: string;
  readonly subscriptionId: string;
  readonly event: string;
  /** JSON text. */
  readonly payload: string;
}

/**
 * Deliveries that are made to test an endpoint. Must not come in: sending, and how many tests there may be.
 */
export abstract class TestDeliveries {
  /**
   * Milliseconds since each of the subscription's tests of the last minute, newest first. Tests of one subscription wait for
   * each other from here to the end of the transaction.
   */
  abstract agesMs(transaction: Transaction, subscriptionId: string): Promise<readonly number[]>;
  /**
   * Stores a test event with its delivery, claimed for one attempt and no more. Whether its lane is held is not asked.
   *
   * @returns null when the subscription is not active
   */
  abstract store(transaction: Transaction, event: TestEvent): Promise<ClaimedDelivery | null>;
}
