import { ENGINE_LIMITS } from '../application/engine-limits.js';
import { asOne, membersOf } from '../domain/claims.js';
import { FREE_INTERRUPTIONS, type ClaimedDelivery } from '../domain/delivery.js';
import { withProbe } from '../domain/gates/circuit.js';
import { waitsOf } from '../domain/retry-schedule.js';
import { toStoredSettings } from '../domain/subscription-settings.js';
import { endProbes } from './in-memory-circuits.js';
import type { InMemoryStore, StoredDelivery, StoredSubscription } from './in-memory-store.js';

const INTERRUPTED = 'Connection error: interrupted, the worker stopped before recording a result';

/** How deliveries of the shared store come under way, and how each of them ends that. */
export class InMemoryLeases {
  constructor(
    private readonly store: InMemoryStore,
    private readonly leaseMs: number,
    private readonly owner: string,
  ) {}

  /** One request of several deliveries. */
  startTogether(rows: readonly StoredDelivery[], leaseToken: string, waitMs: number): ClaimedDelivery[] {
    const sorted = [...rows].sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || (a.id < b.id ? -1 : 1));
    const claims = sorted.map((row) => {
      row.batchId = sorted.length > 1 ? (sorted[0]?.id ?? null) : null;
      return { ...this.start(row, leaseToken, false), waitMs };
    });
    const one = asOne(claims);
    return one === null ? [] : [one];
  }

  start(row: StoredDelivery, leaseToken: string, isProbe: boolean): ClaimedDelivery {
    const subscription = this.store.subscriptions.get(row.subscriptionId);
    if (isProbe && subscription !== undefined) {
      const untilMs = this.store.clock.nowMs() + this.leaseMsOf(subscription);
      subscription.laneCircuit = withProbe(subscription.laneCircuit, row.id, untilMs);
    }
    row.status = 'SENDING';
    row.hold = null;
    row.attempts += 1;
    row.autoAttempts += row.nextTrigger === 'auto' ? 1 : 0;
    row.leaseToken = leaseToken;
    row.leasedUntilMs = this.store.clock.nowMs() + this.leaseMsOf(subscription);
    row.leasedBy = this.owner;
    row.targetUrl = subscription?.url ?? row.targetUrl;
    row.updatedAt = this.store.now();
    const { id, tenantId, subscriptionId, eventId, event, autoAttempts, targetUrl } = row;
    return {
      ...{ id, tenantId, subscriptionId, eventId, event, autoAttempts, targetUrl, leaseToken },
      payload: this.store.events.get(row.eventId)?.payload ?? '',
      payloadExpired: this.store.events.get(row.eventId)?.payload == null,
      attemptNumber: row.attempts,
      trigger: row.nextTrigger,
      isRetry: row.isRetry,
      waitMs: 0,
      epoch: subscription?.laneCircuit.epoch ?? 0,
      isProbe,
      sealedSecret: subscription?.sealedSecret ?? '',
      sealedPreviousSecret: null,
      settings: storedText(subscription),
      subscriptionActive: subscription?.active === true,
    };
  }

  /** A subscription's own time budget and the margin, or the lease of those without. */
  private leaseMsOf(subscription: StoredSubscription | undefined): number {
    const seconds = subscription?.settings.timeoutSeconds ?? null;
    return seconds === null ? this.leaseMs : seconds * 1_000 + ENGINE_LIMITS.leaseMarginMs;
  }

  reclaim(row: StoredDelivery, maxRetries: number): void {
    if (!row.attemptLog.some((attempt) => attempt.number === row.attempts)) {
      row.attemptLog.push({
        number: row.attempts,
        trigger: row.nextTrigger,
        startedAt: new Date((row.leasedUntilMs ?? 0) - this.leaseMs),
        durationMs: this.leaseMs,
        statusCode: null,
        errorClass: 'other',
        error: INTERRUPTED,
        responseBody: null,
        responseHeaders: null,
        requestHeaders: {},
        isProbe: false,
      });
    }
    endProbes(this.store, [row]);
    const isFree = row.interruptions < FREE_INTERRUPTIONS;
    const schedule = this.store.subscriptions.get(row.subscriptionId)?.settings.retrySchedule ?? 'default';
    const usedUp = !isFree && row.autoAttempts > waitsOf(schedule, maxRetries).retries;
    const isManual = isFree && row.nextTrigger === 'manual';
    this.settle(row, {
      status: usedUp ? 'FAILED' : 'PENDING',
      nextAttemptAt: usedUp ? null : this.store.now(),
      lastError: INTERRUPTED,
      lastAttempt: { durationMs: this.leaseMs, statusCode: null, errorClass: 'other' },
      autoAttempts: row.autoAttempts - (isFree && row.nextTrigger === 'auto' ? 1 : 0),
      interruptions: row.interruptions + 1,
      nextTrigger: isManual ? 'manual' : 'auto',
      isRetry: !isManual,
    });
  }

  held(claims: readonly ClaimedDelivery[]): StoredDelivery[] {
    return claims.flatMap(membersOf).flatMap((claim) => {
      const row = this.store.deliveries.get(claim.id);
      return row?.leaseToken === claim.leaseToken ? [row] : [];
    });
  }

  /** Every way out of SENDING ends the lease. */
  settle(row: StoredDelivery, change: Partial<StoredDelivery>): void {
    Object.assign(row, change, {
      leaseToken: null,
      leasedUntilMs: null,
      leasedBy: null,
      updatedAt: this.store.now(),
    });
  }
}

/** As the database hands them to a claim. */
function storedText(subscription: StoredSubscription | undefined): string | null {
  const stored = subscription === undefined ? null : toStoredSettings(subscription.settings);
  return stored === null ? null : JSON.stringify(stored);
}

/** The counters as they were before the claim. */
export function unstarted(row: StoredDelivery): Pick<StoredDelivery, 'attempts' | 'autoAttempts'> {
  return {
    attempts: row.attempts - 1,
    autoAttempts: row.autoAttempts - (row.nextTrigger === 'auto' ? 1 : 0),
  };
}
