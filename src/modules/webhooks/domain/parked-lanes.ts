import type { Lane } from './lane.js';

/** Lanes that wait for a slot: tenants take turns, and a tenant's lanes go first come, first served. */
export class ParkedLanes {
  private readonly byTenant = new Map<string, Map<string, Lane>>();

  /** A lane that is parked already keeps its place. */
  add(lane: Lane): void {
    const lanes = this.byTenant.get(lane.tenantId);
    if (lanes === undefined) this.byTenant.set(lane.tenantId, new Map([[lane.subscriptionId, lane]]));
    else if (!lanes.has(lane.subscriptionId)) lanes.set(lane.subscriptionId, lane);
  }

  has({ tenantId, subscriptionId }: Lane): boolean {
    return this.byTenant.get(tenantId)?.has(subscriptionId) === true;
  }

  remove({ tenantId, subscriptionId }: Lane): void {
    const lanes = this.byTenant.get(tenantId);
    lanes?.delete(subscriptionId);
    if (lanes?.size === 0) this.byTenant.delete(tenantId);
  }

  /** Takes up to `count` lanes of tenants that may go on; one of each before a second of any. */
  take(count: number, mayGoOn: (tenantId: string) => boolean): Lane[] {
    const taken: Lane[] = [];
    for (let passed = 0; taken.length < count && passed < this.byTenant.size;) {
      const [tenantId, lanes] = firstOf(this.byTenant);
      if (lanes === undefined || tenantId === undefined) break;
      // To the end of the line, whether it gets something now or not.
      this.byTenant.delete(tenantId);
      this.byTenant.set(tenantId, lanes);
      if (!mayGoOn(tenantId)) {
        passed += 1;
        continue;
      }
      const [id, lane] = firstOf(lanes);
      if (id !== undefined && lane !== undefined) {
        lanes.delete(id);
        taken.push(lane);
      }
      if (lanes.size === 0) this.byTenant.delete(tenantId);
    }
    return taken;
  }
}

function firstOf<K, V>(map: ReadonlyMap<K, V>): readonly [K, V] | readonly [undefined, undefined] {
  const first = map.entries().next();
  return first.done === true ? [undefined, undefined] : first.value;
}
