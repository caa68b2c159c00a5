import { MAX_BATCH_BYTES } from '../domain/batch.js';
import type { ClosedBatches } from '../domain/gates/batch-gate.js';
import type { InMemoryStore, StoredDelivery } from './in-memory-store.js';

/** Requests of a lane that may go now, as the function `webhook_batches` finds them. */
export interface Batches extends ClosedBatches {
  readonly requests: readonly (readonly StoredDelivery[])[];
  /** For a batch to close, and not for what goes before. */
  readonly waits: boolean;
}

/** @returns null for an endpoint that takes single events, or whose circuit is not closed */
export function batchesOf(
  store: InMemoryStore,
  subscriptionId: string,
  most: number,
  retries: number,
): Batches | null {
  const subscription = store.subscriptions.get(subscriptionId);
  const { batch, retrySchedule, ordering } = subscription?.settings ?? {};
  if (batch == null || subscription?.active !== true || subscription.laneCircuit.state !== 'closed')
    return null;
  if (Array.isArray(retrySchedule) && retrySchedule.length === 0) return null;
  const nowMs = store.clock.nowMs();
  const isOrdered = ordering === 'fifo';
  const ofLane = [...store.deliveries.ofLane(subscriptionId)];
  const busy = new Set(isOrdered ? ofLane.filter(({ status }) => status === 'SENDING').map(keyOf) : []);
  let isUnknown = busy.size > 0;
  const waiting = ofLane.filter(({ status }) => status === 'PENDING').sort(byPlace);
  const due = waiting.filter((row) => dueAt(row) <= nowMs);
  const requests: StoredDelivery[][] = [];
  const behind = (row: StoredDelivery): boolean =>
    isOrdered &&
    waiting.some(
      (other) => keyOf(other) === keyOf(row) && (other.position ?? -1) >= 0 && byPlace(other, row) < 0,
    );
  const groups = new Map<string, StoredDelivery[]>();
  for (const row of due.filter(({ isRetry }) => isRetry)) {
    const id = row.batchId ?? row.id;
    groups.set(id, [...(groups.get(id) ?? []), row]);
  }
  let left = retries;
  for (const group of groups.values()) {
    if (isOrdered && group.some((row) => busy.has(keyOf(row)) || (row.batchId === null && behind(row))))
      continue;
    if (requests.length < most && left > 0) {
      requests.push(group);
      left -= 1;
    } else isUnknown = true;
    if (isOrdered) for (const row of group) busy.add(keyOf(row));
  }
  let open: StoredDelivery[] = [];
  const close = (): void => {
    requests.push(open);
    open = [];
  };
  const add = (row: StoredDelivery): void => {
    if (open.length > 0 && bytesOf(store, [...open, row]) > MAX_BATCH_BYTES) close();
    if (requests.length >= most) return;
    open.push(row);
    if (open.length >= batch.maxEvents) close();
  };
  if (!isOrdered) {
    for (const row of due.filter(({ isRetry }) => !isRetry)) {
      if (requests.length >= most) break;
      if (row.nextTrigger === 'manual') requests.push([row]);
      else add(row);
    }
  } else {
    for (const key of [...new Set(waiting.map(keyOf))].sort()) {
      if (requests.length >= most) break;
      if (busy.has(key)) continue;
      const before = requests.length;
      for (const row of waiting.filter((one) => keyOf(one) === key)) {
        if (dueAt(row) > nowMs || row.isRetry) {
          if ((row.position ?? -1) < 0) continue;
          break;
        }
        if (row.nextTrigger === 'manual') {
          if (!busy.has(key)) requests.push([row]);
          break;
        }
        add(row);
        busy.add(key);
        // A key is in one request at a time.
        if (requests.length > before) break;
      }
    }
  }
  const oldest = Math.min(...open.map(dueAt));
  if (open.length > 0 && requests.length < most && oldest + batch.maxWaitMs <= nowMs) close();
  const dueCount = !isOrdered && isUnknown ? Math.max(requests.length, most) : requests.length;
  const isOpen = open.length > 0 && requests.length < most;
  return {
    requests,
    due: dueCount,
    waits: !isOrdered || isOpen,
    untilMs: isOpen ? oldest + batch.maxWaitMs : null,
  };
}

function keyOf({ orderingKey }: StoredDelivery): string {
  return orderingKey ?? '';
}

function byPlace(a: StoredDelivery, b: StoredDelivery): number {
  const [of, other] = [a.position ?? 0, b.position ?? 0];
  return of === other ? dueAt(a) - dueAt(b) || (a.id < b.id ? -1 : 1) : of - other;
}

function dueAt({ nextAttemptAt }: StoredDelivery): number {
  return nextAttemptAt?.getTime() ?? Infinity;
}

function bytesOf(store: InMemoryStore, rows: readonly StoredDelivery[]): number {
  return rows.reduce((sum, row) => sum + Buffer.byteLength(store.events.get(row.eventId)?.payload ?? ''), 0);
}
