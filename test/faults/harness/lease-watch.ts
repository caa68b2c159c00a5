import type { OverdueLease } from './history.js';

/** A sweep runs every second; on a busy machine it may come late, but not by this much (milliseconds). */
const GRACE_MS = 10_000;

/** Milliseconds between two looks beyond which the later one is as good as the first: who looks was kept waiting, and so was who sweeps. */
const CLOSE_LOOKS_MS = 3_000;

export interface ExpiredLease {
  readonly deliveryId: string;
  readonly leasedUntil: string;
}

/**
 * Invariant 3 while a run goes on: tells leases that stay expired although a worker was awake to give them back. A lease
 * that expired while everything was dead counts from the moment at which somebody could see it.
 */
export class LeaseWatch {
  readonly overdue: OverdueLease[] = [];
  private firstSeenMs = new Map<string, number>();
  private lastLookMs = -Infinity;

  /** To be called again and again with what is expired at that moment. */
  observe(expired: readonly ExpiredLease[], nowMs: number): void {
    if (nowMs - this.lastLookMs > CLOSE_LOOKS_MS) this.forget();
    this.lastLookMs = nowMs;
    const seen = new Map<string, number>();
    for (const { deliveryId, leasedUntil } of expired) {
      const key = `${deliveryId} ${leasedUntil}`;
      const since = this.firstSeenMs.get(key) ?? nowMs;
      seen.set(key, since);
      const isNew = !this.overdue.some((lease) => lease.deliveryId === deliveryId);
      if (nowMs - since > GRACE_MS && isNew) this.overdue.push({ deliveryId, overdueMs: nowMs - since });
    }
    this.firstSeenMs = seen;
  }

  /** Nobody could have done anything: what is expired now counts from the next look on. */
  forget(): void {
    this.firstSeenMs.clear();
  }
}
