import {
  SubscriptionRepository,
  type NewSubscription,
  type SubscriptionChange,
  type SubscriptionFilter,
} from '../application/ports/subscription-repository.js';
import type { Transaction } from '../application/ports/transaction.js';
import { WebhookError } from '../domain/errors.js';
import { DEACTIVATED_BY_UPDATE, type Subscription } from '../domain/subscription.js';
import { CLOSED_CIRCUIT } from '../domain/gates/circuit.js';
import { replannedMs } from '../domain/gates/rate-gate.js';
import { DEFAULT_SETTINGS } from '../domain/subscription-settings.js';
import { beginOrder } from './in-memory-order.js';
import type { InMemoryStore, StoredSubscription } from './in-memory-store.js';
import { tenantOf } from './in-memory-transactions.js';

export class InMemorySubscriptionRepository extends SubscriptionRepository {
  constructor(private readonly store: InMemoryStore) {
    super();
  }

  override async insert(transaction: Transaction, subscription: NewSubscription): Promise<Subscription> {
    if (subscription.tenantId !== tenantOf(transaction)) throw new Error('The row is of another tenant');
    const now = this.store.now();
    const row: StoredSubscription = {
      ...subscription,
      event: subscription.events[0] ?? '',
      description: subscription.description ?? null,
      filter: subscription.filter ?? null,
      settings: subscription.settings ?? DEFAULT_SETTINGS,
      active: true,
      isPaused: false,
      laneCircuit: CLOSED_CIRCUIT,
      rateNextAtMs: null,
      heldUntilMs: null,
      orderFrom: '',
      deactivationReason: null,
      deactivatedAt: null,
      secretRotatedAt: null,
      previousSecretExpiresAt: null,
      createdAt: now,
      updatedAt: now,
    };
    this.refuseDuplicate(row);
    this.store.subscriptions.set(row.id, row);
    return Promise.resolve(shown(row));
  }

  override async find(transaction: Transaction, id: string): Promise<Subscription | null> {
    const row = this.row(transaction, id);
    return Promise.resolve(row === null ? null : shown(row));
  }

  override async list(transaction: Transaction, filter: SubscriptionFilter): Promise<Subscription[]> {
    const rows = [...this.store.subscriptions.values()].filter(
      (row) =>
        row.tenantId === tenantOf(transaction) &&
        (filter.event === undefined || row.events.includes(filter.event)) &&
        (filter.active === undefined || row.active === filter.active),
    );
    return Promise.resolve(rows.sort((a, b) => (a.id < b.id ? 1 : -1)).map(shown));
  }

  override async update(
    transaction: Transaction,
    id: string,
    change: SubscriptionChange,
  ): Promise<Subscription | null> {
    const row = this.row(transaction, id);
    if (row === null) return Promise.resolve(null);
    if (change.active === false && row.active) this.store.deactivate(row, DEACTIVATED_BY_UPDATE);
    const { settings, ...others } = change;
    const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
    const changed: StoredSubscription = { ...row, ...given, updatedAt: this.store.now() };
    changed.event = changed.events[0] ?? '';
    if (settings !== undefined) {
      changed.settings = settings(row.settings);
      const { rateLimit } = changed.settings;
      changed.rateNextAtMs = replannedMs(
        { rateLimit, rateNextAtMs: row.rateNextAtMs },
        this.store.clock.nowMs(),
      );
    }
    if (change.sealedSecret !== undefined) {
      Object.assign(changed, { previousSecretExpiresAt: null, secretRotatedAt: this.store.now() });
    }
    if (change.active === true) Object.assign(changed, { deactivatedAt: null, deactivationReason: null });
    this.refuseDuplicate(changed);
    this.store.subscriptions.set(id, changed);
    if (changed.settings.ordering === 'fifo') beginOrder(this.store, id);
    return Promise.resolve(shown(changed));
  }

  override async countActive(transaction: Transaction): Promise<number> {
    return (await this.list(transaction, { active: true })).length;
  }

  override async deactivate(transaction: Transaction, id: string, reason: string): Promise<boolean> {
    const row = this.row(transaction, id);
    if (row?.active !== true) return Promise.resolve(false);
    this.store.deactivate(row, reason);
    return Promise.resolve(true);
  }

  private row(transaction: Transaction, id: string): StoredSubscription | null {
    const row = this.store.subscriptions.get(id);
    return row?.tenantId === tenantOf(transaction) ? row : null;
  }

  private refuseDuplicate(wanted: StoredSubscription): void {
    const taken = [...this.store.subscriptions.values()].some(
      (row) =>
        row.id !== wanted.id &&
        row.active &&
        wanted.active &&
        row.tenantId === wanted.tenantId &&
        row.events.some((event) => wanted.events.includes(event)) &&
        new URL(row.url).href === new URL(wanted.url).href,
    );
    if (taken) throw new WebhookError('duplicate_subscription');
  }
}

/** A copy without the secret: callers must not hold the stored row. */
function shown({
  sealedSecret: _sealedSecret,
  rateNextAtMs: _rateNextAtMs,
  heldUntilMs: _heldUntilMs,
  orderFrom: _orderFrom,
  laneCircuit: { state, cause, openedAtMs, nextProbeAtMs, failures },
  ...row
}: StoredSubscription): Subscription {
  const nextProbeAt = state === 'open' ? dateOf(nextProbeAtMs) : null;
  return { ...row, circuit: { state, cause, openedAt: dateOf(openedAtMs), nextProbeAt, failures } };
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
