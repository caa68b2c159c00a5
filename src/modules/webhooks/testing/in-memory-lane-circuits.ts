import { LaneCircuits } from '../application/ports/lane-circuits.js';
import type { Transaction } from '../application/ports/transaction.js';
import { probeFirst, probeSoon, resetCircuit, type Circuit } from '../domain/gates/circuit.js';
import type { InMemoryStore } from './in-memory-store.js';
import { tenantOf } from './in-memory-transactions.js';

export class InMemoryLaneCircuits extends LaneCircuits {
  constructor(private readonly store: InMemoryStore) {
    super();
  }

  override async reset(transaction: Transaction, subscriptionId: string): Promise<void> {
    this.change(transaction, subscriptionId, resetCircuit);
    const row = this.store.subscriptions.get(subscriptionId);
    if (row?.tenantId === tenantOf(transaction)) row.heldUntilMs = null;
    return Promise.resolve();
  }

  override async probeSoon(
    transaction: Transaction,
    subscriptionId: string,
    deliveryId?: string,
  ): Promise<void> {
    this.change(transaction, subscriptionId, (circuit, nowMs) =>
      probeSoon(circuit, nowMs, deliveryId ?? null),
    );
    return Promise.resolve();
  }

  override async probeFirst(transaction: Transaction, subscriptionId: string): Promise<void> {
    this.change(transaction, subscriptionId, probeFirst);
    return Promise.resolve();
  }

  private change(
    transaction: Transaction,
    subscriptionId: string,
    by: (circuit: Circuit, nowMs: number) => Circuit,
  ): void {
    const row = this.store.subscriptions.get(subscriptionId);
    if (row?.tenantId !== tenantOf(transaction)) return;
    row.laneCircuit = by(row.laneCircuit, this.store.clock.nowMs());
  }
}
