import { LaneCircuits } from '../application/ports/lane-circuits.js';
import type { Transaction } from '../application/ports/transaction.js';
import { probeFirst, probeSoon, resetCircuit, type Circuit } from '../domain/gates/circuit.js';
import type { InMemoryStore } from './in-memory-store.js';
import { tenantOf } from './in-memory-transactions.js';

export class InMemoryLaneCircuits extends LaneCircuits {
  constructor(private readonly store: InMemoryStore) {
    super();
  }

  override async reset(transaction: Transaction, subscriptionId: string): Promise<boolean> {
    const before = this.change(transaction, subscriptionId, resetCircuit);
    const row = this.store.subscriptions.get(subscriptionId);
    if (before === null || row === undefined) return Promise.resolve(false);
    const isHeld = (row.heldUntilMs ?? 0) > this.store.clock.nowMs();
    row.heldUntilMs = null;
    return Promise.resolve(isHeld || before.state !== 'closed');
  }

  override async probeSoon(
    transaction: Transaction,
    subscriptionId: string,
    deliveryId?: string,
  ): Promise<boolean> {
    const before = this.change(transaction, subscriptionId, (circuit, nowMs) =>
      probeSoon(circuit, nowMs, deliveryId ?? null),
    );
    const isLater = (before?.nextProbeAtMs ?? 0) > this.store.clock.nowMs();
    return Promise.resolve(before?.state === 'open' && isLater);
  }

  override async probeFirst(transaction: Transaction, subscriptionId: string): Promise<boolean> {
    return Promise.resolve(this.change(transaction, subscriptionId, probeFirst) !== null);
  }

  /** @returns it as it was; null: there is none. */
  private change(
    transaction: Transaction,
    subscriptionId: string,
    by: (circuit: Circuit, nowMs: number) => Circuit,
  ): Circuit | null {
    const row = this.store.subscriptions.get(subscriptionId);
    if (row?.tenantId !== tenantOf(transaction)) return null;
    const before = row.laneCircuit;
    row.laneCircuit = by(before, this.store.clock.nowMs());
    return before;
  }
}
