import {
  DeliveryRepository,
  type DeliveryDetail,
  type DeliveryFilter,
  type DeliveryPage,
  type LockedDelivery,
} from '../application/ports/delivery-repository.js';
import type { Transaction } from '../application/ports/transaction.js';
import { SCHEDULE_OVER, type Delivery } from '../domain/delivery.js';
import { laneHold } from '../domain/gates/lane-hold.js';
import { resourceIdOf } from '../domain/resource-id.js';
import { gatedLane, type InMemoryStore, type StoredDelivery } from './in-memory-store.js';
import { blockerOf, sentAgain } from './in-memory-order.js';
import { tenantOf } from './in-memory-transactions.js';

export class InMemoryDeliveryRepository extends DeliveryRepository {
  constructor(private readonly store: InMemoryStore) {
    super();
  }

  override async list(
    transaction: Transaction,
    filter: DeliveryFilter,
    limit: number,
    afterId: string | null,
  ): Promise<DeliveryPage> {
    const { event, status, subscriptionId, since, until, errorClass, httpClass, q } = filter;
    const rows = [...this.store.deliveries.values()]
      .filter(
        (row) =>
          row.tenantId === tenantOf(transaction) &&
          (event === undefined || row.event === event) &&
          (status === undefined || row.status === status) &&
          (subscriptionId === undefined || row.subscriptionId === subscriptionId) &&
          (errorClass === undefined || row.lastAttempt?.errorClass === errorClass) &&
          (httpClass === undefined ||
            `${row.lastAttempt?.statusCode ?? ''}`.startsWith(httpClass[0] ?? '')) &&
          (q === undefined || this.isOf(row, q)) &&
          (since === undefined || row.createdAt >= since) &&
          (until === undefined || row.createdAt < until) &&
          (afterId === null || row.id < afterId),
      )
      .sort((a, b) => (a.id < b.id ? 1 : -1));
    return Promise.resolve({
      deliveries: rows.slice(0, limit).map((row) => this.shown(row)),
      hasMore: rows.length > limit,
    });
  }

  override async findDetail(transaction: Transaction, id: string): Promise<DeliveryDetail | null> {
    const row = this.row(transaction, id);
    if (row === null) return Promise.resolve(null);
    const payload = this.store.events.get(row.eventId)?.payload ?? null;
    const attemptLog = [...row.attemptLog].sort((a, b) => a.number - b.number);
    return Promise.resolve({ ...this.shown(row), payload, attemptLog });
  }

  override async findForUpdate(transaction: Transaction, id: string): Promise<LockedDelivery | null> {
    const row = this.row(transaction, id);
    if (row === null) return Promise.resolve(null);
    const payloadExpired = this.store.events.get(row.eventId)?.payload == null;
    const subscriptionActive = this.store.subscriptions.get(row.subscriptionId)?.active === true;
    const blocker = blockerOf(this.store, row);
    return Promise.resolve({ ...shown(row), payloadExpired, subscriptionActive, blocker });
  }

  override async requeueManually(transaction: Transaction, id: string): Promise<void> {
    const row = this.row(transaction, id);
    const now = this.store.now();
    if (row !== null)
      Object.assign(row, {
        position: sentAgain(row),
        status: 'PENDING',
        autoAttempts: row.status === 'PENDING' ? row.autoAttempts : SCHEDULE_OVER,
        nextTrigger: 'manual',
        isRetry: false,
        nextAttemptAt: now,
        hold: null,
        updatedAt: now,
      });
    return Promise.resolve();
  }

  override async end(transaction: Transaction, delivery: Delivery, lastError: string): Promise<Delivery> {
    const row = this.row(transaction, delivery.id);
    if (row?.status !== 'PENDING') return Promise.resolve(delivery);
    const now = this.store.now();
    Object.assign(row, { status: 'FAILED', nextTrigger: 'auto', lastError, hold: null, updatedAt: now });
    return Promise.resolve(shown(row));
  }

  /** With what keeps it back because of its lane. */
  private shown(row: StoredDelivery): Delivery {
    const delivery = shown(row);
    const { status, nextAttemptAt } = delivery;
    if (status !== 'PENDING' || nextAttemptAt === null) return delivery;
    const lane = gatedLane(this.store.subscriptions.get(row.subscriptionId));
    const blocker = blockerOf(this.store, row);
    const maxWaitMs = this.store.subscriptions.get(row.subscriptionId)?.settings.batch?.maxWaitMs ?? null;
    const hold = laneHold({ ...lane, maxWaitMs }, nextAttemptAt.getTime(), this.store.clock.nowMs(), blocker);
    return { ...delivery, hold: hold ?? delivery.hold };
  }

  /** Whether this is an id of it, or of what its event is about. */
  private isOf({ id, eventId, subscriptionId }: StoredDelivery, q: string): boolean {
    const payload = this.store.events.get(eventId)?.payload ?? '{}';
    return [id, eventId, subscriptionId, resourceIdOf(payload)].includes(q);
  }

  private row(transaction: Transaction, id: string): StoredDelivery | null {
    const row = this.store.deliveries.get(id);
    return row?.tenantId === tenantOf(transaction) ? row : null;
  }
}

/** The fields of a delivery and no other: callers must not hold the stored row. */
function shown(row: StoredDelivery): Delivery {
  return {
    id: row.id,
    tenantId: row.tenantId,
    subscriptionId: row.subscriptionId,
    eventId: row.eventId,
    event: row.event,
    status: row.status,
    attempts: row.attempts,
    targetUrl: row.targetUrl,
    lastError: row.lastError,
    lastAttempt: row.lastAttempt,
    nextAttemptAt: row.status === 'PENDING' ? row.nextAttemptAt : null,
    hold: row.hold,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
