import type { Transaction } from './transaction.js';

/** Why a circuit closed without a probe, in the words of its notice. */
export type ResetReason = 'Reset by hand' | 'The URL was replaced' | 'Activated again';

/**
 * What a tenant does to the circuit of an endpoint. Each says whether it turned anything: then what waits may have to wait no
 * longer, and the lane is to be rung. Must not come in: what attempts do to it, which is the engine's.
 */
export abstract class LaneCircuits {
  /**
   * Closes it, and forgets what is held against the endpoint: results of before say nothing any more. Where it was not closed,
   * notes for whoever listens that it has recovered.
   */
  abstract reset(transaction: Transaction, subscriptionId: string, reason: ResetReason): Promise<boolean>;
  /** A probe is due at once, where it is open. @param deliveryId the one that is to be it; any when left out */
  abstract probeSoon(transaction: Transaction, subscriptionId: string, deliveryId?: string): Promise<boolean>;
  /** Whatever comes first is a probe. */
  abstract probeFirst(transaction: Transaction, subscriptionId: string): Promise<boolean>;
}
