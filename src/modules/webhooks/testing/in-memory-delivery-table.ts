import type { StoredDelivery } from './in-memory-store.js';

/** Deliveries by their ids, and those of one lane without a look at all others: simulations ask for them at every turn. */
export class InMemoryDeliveryTable extends Map<string, StoredDelivery> {
  private readonly lanes = new Map<string, Map<string, StoredDelivery>>();

  static of(rows: Iterable<StoredDelivery>): InMemoryDeliveryTable {
    const table = new InMemoryDeliveryTable();
    for (const row of rows) table.set(row.id, row);
    return table;
  }

  ofLane(subscriptionId: string): Iterable<StoredDelivery> {
    return this.lanes.get(subscriptionId)?.values() ?? [];
  }

  override set(id: string, row: StoredDelivery): this {
    const lane = this.lanes.get(row.subscriptionId) ?? new Map<string, StoredDelivery>();
    this.lanes.set(row.subscriptionId, lane.set(id, row));
    return super.set(id, row);
  }

  override delete(id: string): boolean {
    const row = this.get(id);
    if (row !== undefined) this.lanes.get(row.subscriptionId)?.delete(id);
    return super.delete(id);
  }
}
