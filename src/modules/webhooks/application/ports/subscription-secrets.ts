import type { Subscription } from '../../domain/subscription.js';
import type { Transaction } from './transaction.js';

/** The secret that a rotation leaves behind. */
export interface PreviousSecret {
  readonly sealed: string;
  /** Hours that it goes on signing, from the database's now. */
  readonly overlapHours: number;
}

/** The sealed signing secrets of a tenant's subscriptions. Must not come in: secrets in clear, other fields. */
export abstract class SubscriptionSecrets {
  /** The sealed secret, its row locked until the transaction ends; null when there is no such subscription. */
  abstract lock(transaction: Transaction, id: string): Promise<string | null>;
  /** Puts a new secret in place; `previous` replaces whatever an earlier rotation kept, null keeps nothing. */
  abstract rotate(
    transaction: Transaction,
    id: string,
    sealedSecret: string,
    previous: PreviousSecret | null,
  ): Promise<Subscription>;
}
