import type { Look } from '../../domain/change-feed.js';
import type { Transaction } from './transaction.js';

/** Looks at what changes of a tenant's deliveries. Must not come in: who is told. */
export abstract class DeliveryChanges {
  /** @param watched ids to look at, wherever they are; `limit` bounds the newest and the unfinished ones each */
  abstract look(transaction: Transaction, watched: readonly string[], limit: number): Promise<Look>;
}
