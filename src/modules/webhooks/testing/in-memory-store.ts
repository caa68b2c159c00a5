import type { Clock } from '../../../platform/kernel/clock.js';
import type { AttemptRecord } from '../application/ports/delivery-repository.js';
import type { AttemptTrigger } from '../domain/attempt.js';
import { SUBSCRIPTION_DEACTIVATED, type Delivery } from '../domain/delivery.js';
import { CLOSED_CIRCUIT, type Circuit } from '../domain/gates/circuit.js';
import type { GatedLane } from '../domain/gates/gate.js';
import type { Subscription } from '../domain/subscription.js';
import { InMemoryDeliveryTable } from './in-memory-delivery-table.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type StoredSubscription = Mutable<Omit<Subscription, 'circuit'>> & {
  sealedSecret: string;
  laneCircuit: Circuit;
  /** Of its lane: the first slot of its rate that no delivery has yet. */
  rateNextAtMs: number | null;
  /** Of its lane: the endpoint asked for nothing before. */
  heldUntilMs: number | null;
  /** Of its lane: the last key of its order that was claimed. */
  orderFrom: string;
};

/** What gates look at. */
export function gatedLane(
  subscription: StoredSubscription | undefined,
  heads: GatedLane['heads'] = null,
  batches: GatedLane['batches'] = null,
): GatedLane {
  return {
    isPaused: subscription?.isPaused === true,
    circuit: subscription?.laneCircuit ?? CLOSED_CIRCUIT,
    heldUntilMs: subscription?.heldUntilMs ?? null,
    heads,
    batches,
    rateLimit: subscription?.settings.rateLimit ?? null,
    rateNextAtMs: subscription?.rateNextAtMs ?? null,
  };
}

export interface StoredEvent {
  readonly createdAt: Date;
  readonly id: string;
  readonly tenantId: string;
  readonly event: string;
  /** Null once retention has removed it. */
  payload: string | null;
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null;
  readonly orderingKey: string | null;
  /** The deliveries of its own fan-out. */
  readonly deliveryIds: readonly string[];
  /** Subscriptions that listened and whose filter kept it back. */
  readonly filteredBy: readonly string[];
}

export type StoredDelivery = Mutable<Delivery> & {
  autoAttempts: number;
  nextTrigger: AttemptTrigger;
  isRetry: boolean;
  leaseToken: string | null;
  leasedUntilMs: number | null;
  /** The process that holds the lease. */
  leasedBy: string | null;
  interruptions: number;
  /** Its place in the order of its endpoint; null: it wants none. */
  position: number | null;
  orderingKey: string | null;
  /** The first of those that it went with in one request; null: it goes alone. */
  batchId: string | null;
  attemptLog: AttemptRecord[];
};

/** What the in-memory adapters share, as the real ones share a database. Its time is that of the given clock. */
export class InMemoryStore {
  subscriptions = new Map<string, StoredSubscription>();
  events = new Map<string, StoredEvent>();
  deliveries = new InMemoryDeliveryTable();
  private positions = 0;

  constructor(readonly clock: Clock) {}

  now(): Date {
    return new Date(this.clock.nowMs());
  }

  /** As a sequence: what is rolled back leaves a gap. */
  nextPosition(): number {
    return (this.positions += 1);
  }

  /** Deactivates one and ends what waits for it. */
  deactivate(subscription: StoredSubscription, deactivationReason: string): void {
    const now = this.now();
    Object.assign(subscription, { active: false, deactivationReason, deactivatedAt: now, updatedAt: now });
    for (const row of this.deliveries.ofLane(subscription.id)) {
      if (row.status !== 'PENDING') continue;
      Object.assign(row, { status: 'FAILED', lastError: SUBSCRIPTION_DEACTIVATED, nextAttemptAt: null });
      Object.assign(row, { nextTrigger: 'auto', updatedAt: now });
    }
  }

  /** @returns a function that puts everything back as it is now: a rollback. */
  savepoint(): () => void {
    const { subscriptions, events, deliveries } = structuredClone({
      subscriptions: this.subscriptions,
      events: this.events,
      deliveries: this.deliveries,
    });
    return () => {
      this.subscriptions = subscriptions;
      this.events = events;
      this.deliveries = InMemoryDeliveryTable.of(deliveries.values());
    };
  }
}
