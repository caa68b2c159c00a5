interface Waiter {
  readonly tenantId: string;
  readonly resume: () => void;
}

/**
 * The requests that one process may have under way: a bound for all and a share for each tenant. Whoever finds no room
 * waits in line; a tenant at its share does not hold up the others behind it.
 */
export class DeliverySlots {
  private used = 0;
  private readonly usedByTenant = new Map<string, number>();
  private readonly line: Waiter[] = [];

  constructor(private readonly limits: { readonly global: number; readonly perTenant: number }) {}

  /** Takes up to `wanted` slots and says how many it got; 0 means to wait with {@link room}. */
  take(tenantId: string, wanted: number): number {
    const granted = Math.min(wanted, this.free(tenantId));
    if (granted > 0) this.add(tenantId, granted);
    return granted;
  }

  give(tenantId: string, count: number): void {
    if (count <= 0) return;
    this.add(tenantId, -count);
    this.wake(count);
  }

  /** Resolves when there may be room for the tenant again; somebody else can still be faster. */
  async room(tenantId: string): Promise<void> {
    if (this.free(tenantId) > 0) return;
    await new Promise<void>((resume) => {
      this.line.push({ tenantId, resume });
    });
  }

  /** Lets everyone in line go on, room or not: they are told to stop. */
  wakeAll(): void {
    for (const waiter of this.line.splice(0)) waiter.resume();
  }

  get inUse(): number {
    return this.used;
  }

  private free(tenantId: string): number {
    const share = this.limits.perTenant - (this.usedByTenant.get(tenantId) ?? 0);
    return Math.max(Math.min(this.limits.global - this.used, share), 0);
  }

  private add(tenantId: string, count: number): void {
    this.used += count;
    const mine = (this.usedByTenant.get(tenantId) ?? 0) + count;
    if (mine > 0) this.usedByTenant.set(tenantId, mine);
    else this.usedByTenant.delete(tenantId);
  }

  private wake(atMost: number): void {
    let woken = 0;
    for (let index = 0; index < this.line.length && woken < atMost;) {
      const waiter = this.line[index];
      if (waiter !== undefined && this.free(waiter.tenantId) > 0) {
        this.line.splice(index, 1);
        woken += 1;
        waiter.resume();
      } else {
        index += 1;
      }
    }
  }
}
