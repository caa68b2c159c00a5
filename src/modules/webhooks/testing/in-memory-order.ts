import type { Blocker } from '../application/ports/delivery-repository.js';
import type { OrderHeads } from '../domain/gates/order-gate.js';
import type { InMemoryStore, StoredDelivery } from './in-memory-store.js';

/** So far below zero that what is sent again comes before everything that waits. */
const BEFORE_ALL = 1e12;

/** The next deliveries of an endpoint that wants an order, as the function `webhook_heads` finds them. */
export interface Heads extends OrderHeads {
  readonly rows: readonly StoredDelivery[];
}

/** @returns null for an endpoint that wants none */
export function headsOf(store: InMemoryStore, subscriptionId: string, retries: number): Heads | null {
  const subscription = store.subscriptions.get(subscriptionId);
  if (subscription?.settings.ordering !== 'fifo' || !subscription.active) return null;
  const nowMs = store.clock.nowMs();
  const open = [...store.deliveries.ofLane(subscriptionId)];
  const busy = new Set(open.filter(({ status }) => status === 'SENDING').map(keyOf));
  const waiting = open.filter(({ status }) => status === 'PENDING').sort(byPosition);
  let isUnknown = busy.size > 0;
  let [retriesLeft, untilMs] = [retries, Infinity];
  const rows: StoredDelivery[] = [];
  const keys = [...new Set(waiting.map(keyOf))].sort();
  const { orderFrom } = subscription;
  for (const key of [...keys.filter((one) => one > orderFrom), ...keys.filter((one) => one <= orderFrom)]) {
    if (busy.has(key)) continue;
    const next = waiting.find(
      (row) => keyOf(row) === key && (dueAt(row) <= nowMs || (row.position ?? -1) >= 0),
    );
    if (next === undefined || dueAt(next) > nowMs) {
      const ofKey = waiting.find((row) => keyOf(row) === key);
      untilMs = Math.min(untilMs, dueAt(next ?? ofKey));
    } else if (next.isRetry && (retriesLeft -= 1) < 0) isUnknown = true;
    else rows.push(next);
  }
  const isKnown = !isUnknown && rows.length === 0 && untilMs < Infinity;
  return { rows, due: rows.length, untilMs: isKnown ? untilMs : null };
}

/** What a waiting delivery has to wait for in its order; null: nothing. */
export function blockerOf(store: InMemoryStore, row: StoredDelivery): Blocker | null {
  if (store.subscriptions.get(row.subscriptionId)?.settings.ordering !== 'fifo') return null;
  if (row.status !== 'PENDING') return null;
  const nowMs = store.clock.nowMs();
  const ofKey = [...store.deliveries.values()].filter(
    (other) => other.subscriptionId === row.subscriptionId && keyOf(other) === keyOf(row),
  );
  const underWay = ofKey.find(({ status }) => status === 'SENDING');
  if (underWay !== undefined) return { id: underWay.id, untilMs: null };
  const before = ofKey
    .filter((other) => other.status === 'PENDING' && byPosition(other, row) < 0)
    .filter((other) => (other.position ?? -1) >= 0 || dueAt(other) <= nowMs)
    .sort(byPosition)[0];
  if (before === undefined) return null;
  return { id: before.id, untilMs: dueAt(before) > nowMs ? dueAt(before) : null };
}

/** The position of a delivery that is sent again. */
export function sentAgain({ status, position }: StoredDelivery): number | null {
  const hasEnded = status === 'DELIVERED' || status === 'FAILED';
  return hasEnded && position !== null && position > 0 ? position - BEFORE_ALL : position;
}

/** Gives everything that is open of an endpoint its place, when it begins to want an order. */
export function beginOrder(store: InMemoryStore, subscriptionId: string): void {
  [...store.deliveries.values()]
    .filter((row) => row.subscriptionId === subscriptionId && row.position === null)
    .filter(({ status }) => status === 'PENDING' || status === 'SENDING')
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .forEach((row) => {
      row.position = store.nextPosition();
      row.orderingKey = store.events.get(row.eventId)?.orderingKey ?? '';
    });
}

function keyOf({ orderingKey }: StoredDelivery): string {
  return orderingKey ?? '';
}

/** Those without a position first: they are of before the endpoint wanted an order. */
function byPosition(a: StoredDelivery, b: StoredDelivery): number {
  const [of, other] = [a.position ?? -Infinity, b.position ?? -Infinity];
  return of === other ? (a.id < b.id ? -1 : 1) : of - other;
}

function dueAt(row: StoredDelivery | undefined): number {
  return row?.nextAttemptAt?.getTime() ?? Infinity;
}
