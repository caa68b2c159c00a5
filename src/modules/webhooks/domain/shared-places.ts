/** Places of a process, of which each tenant may have some: what is open is counted, in all and by tenant. */
export class SharedPlaces {
  private readonly taken = new Map<string, number>();
  private total = 0;

  constructor(
    private readonly most: number,
    private readonly mostOfTenant: number,
  ) {}

  /** @returns gives the place back, once; null when there is none left, for this tenant or at all */
  take(tenantId: string): (() => void) | null {
    const ofTenant = this.taken.get(tenantId) ?? 0;
    if (this.total >= this.most || ofTenant >= this.mostOfTenant) return null;
    this.count(tenantId, 1);
    let isMine = true;
    return () => {
      if (isMine) this.count(tenantId, -1);
      isMine = false;
    };
  }

  private count(tenantId: string, change: 1 | -1): void {
    this.total += change;
    const count = (this.taken.get(tenantId) ?? 0) + change;
    // A tenant without any leaves nothing behind.
    if (count === 0) this.taken.delete(tenantId);
    else this.taken.set(tenantId, count);
  }
}
