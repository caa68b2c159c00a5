import { LanePauses } from '../application/ports/lane-pauses.js';
import type { Transaction } from '../application/ports/transaction.js';
import type { InMemoryStore } from './in-memory-store.js';
import { tenantOf } from './in-memory-transactions.js';

export class InMemoryLanePauses extends LanePauses {
  constructor(private readonly store: InMemoryStore) {
    super();
  }

  override async set(transaction: Transaction, subscriptionId: string, isPaused: boolean): Promise<boolean> {
    const row = this.store.subscriptions.get(subscriptionId);
    if (row?.tenantId !== tenantOf(transaction) || row.isPaused === isPaused) return Promise.resolve(false);
    row.isPaused = isPaused;
    return Promise.resolve(true);
  }
}
