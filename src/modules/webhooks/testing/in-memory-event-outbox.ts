import type { IdGenerator } from '../../../platform/kernel/id-generator.js';
import type { DeliveryMetrics } from '../application/ports/delivery-metrics.js';
import { EventOutbox, type AppendResult, type NewEvent } from '../application/ports/event-outbox.js';
import type { LaneDispatcher } from '../application/ports/lane-dispatcher.js';
import type { Transaction } from '../application/ports/transaction.js';
import type { Lane } from '../domain/lane.js';
import { letsThrough, payloadOf } from '../domain/payload-filter/payload-filter.js';
import type { InMemoryStore, StoredDelivery, StoredSubscription } from './in-memory-store.js';
import { onCommit } from './in-memory-transactions.js';

export class InMemoryEventOutbox extends EventOutbox {
  constructor(
    private readonly store: InMemoryStore,
    private readonly ids: IdGenerator,
    private readonly dispatcher: LaneDispatcher,
    private readonly metrics: DeliveryMetrics,
  ) {
    super();
  }

  override async append(_transaction: Transaction, event: NewEvent): Promise<AppendResult> {
    return Promise.resolve(this.earlier(event) ?? this.write(event));
  }

  override announceAfterCommit(transaction: Transaction, event: string, lanes: readonly Lane[]): void {
    onCommit(transaction, () => {
      this.metrics.emitted(event);
      if (lanes.length > 0) this.dispatcher.ring(lanes);
    });
  }

  private earlier({ tenantId, idempotency }: NewEvent): AppendResult | null {
    if (idempotency === null) return null;
    const found = [...this.store.events.values()].find(
      (event) => event.tenantId === tenantId && event.idempotency?.key === idempotency.key,
    );
    if (found?.idempotency == null) return null;
    const { id, deliveryIds, idempotency: first } = found;
    return { kind: 'repeated', eventId: id, fingerprint: first.fingerprint, deliveryIds };
  }

  private write(event: NewEvent): AppendResult {
    const matching = [...this.store.subscriptions.values()].filter(
      (row) =>
        row.tenantId === event.tenantId &&
        row.active &&
        row.events.some((pattern) => event.patterns.includes(pattern)),
    );
    if (event.onlyIfMatched && matching.length === 0) return { kind: 'unmatched' };
    const document = payloadOf(event.payload);
    const wanted = matching.filter(({ filter }) => letsThrough(filter, document));
    const filteredBy = matching.flatMap((row) => (wanted.includes(row) ? [] : [row.id]));
    const deliveries = wanted.map((subscription) => this.newDelivery(event, subscription));
    for (const delivery of deliveries) this.store.deliveries.set(delivery.id, delivery);
    const deliveryIds = deliveries.map(({ id }) => id);
    const { id, tenantId, event: name, payload, idempotency, orderingKey = null } = event;
    const createdAt = this.store.now();
    const stored = { id, tenantId, event: name, payload, idempotency, deliveryIds, filteredBy };
    this.store.events.set(id, { ...stored, orderingKey, createdAt });
    const lanes = deliveries.map(({ subscriptionId }) => ({ tenantId, subscriptionId }));
    return { kind: 'stored', deliveryIds, lanes };
  }

  private newDelivery(event: NewEvent, subscription: StoredSubscription): StoredDelivery {
    const now = this.store.now();
    const isOrdered = subscription.settings.ordering === 'fifo';
    return {
      id: this.ids.next(),
      tenantId: event.tenantId,
      subscriptionId: subscription.id,
      eventId: event.id,
      event: event.event,
      status: 'PENDING',
      attempts: 0,
      autoAttempts: 0,
      nextTrigger: 'auto',
      isRetry: false,
      targetUrl: subscription.url,
      lastError: null,
      lastAttempt: null,
      nextAttemptAt: now,
      hold: null,
      leaseToken: null,
      leasedUntilMs: null,
      leasedBy: null,
      interruptions: 0,
      batchId: null,
      position: isOrdered ? this.store.nextPosition() : null,
      orderingKey: isOrdered ? (event.orderingKey ?? '') : null,
      createdAt: now,
      updatedAt: now,
      attemptLog: [],
    };
  }
}
