import type { Transaction } from './transaction.js';

/** Lanes that a tenant keeps back. Must not come in: what the engine decides about a lane, and deliveries. */
export abstract class LanePauses {
  /** @returns false when the lane was so already, or there is none */
  abstract set(transaction: Transaction, subscriptionId: string, isPaused: boolean): Promise<boolean>;
}
