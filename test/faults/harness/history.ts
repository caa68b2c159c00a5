/** What became of the transaction in which an event was emitted. */
export type Fate =
  | 'committed'
  | 'rolled_back'
  /** Its process died, or lost its connection, before it heard of the commit: both are right, half of it is not. */
  | 'unknown';

export interface EmittedEvent {
  /** Unique in a run; travels in the payload. */
  readonly number: number;
  readonly lane: number;
  readonly fate: Fate;
  /** What it must keep its order with, where its lane has one; null is a key as well. */
  readonly key?: string | null;
  /** The filter of its lane keeps it back. */
  readonly isKeptBack?: boolean;
  /** When its emitter emitted it, and when it heard of the commit; undefined where it did not live to say so. */
  readonly times?: { readonly emittedAtMs: number; readonly committedAtMs: number };
}

/** One delivery in a request as the receiver saw it. */
export interface SeenRequest {
  /** The header; of one among several, its own id. */
  readonly webhookId: string;
  readonly deliveryIdHeader: string;
  /** The event's number, from the body. */
  readonly eventNumber: number;
  readonly lane: number;
  /** Which process sent it: each worker has a user agent of its own. */
  readonly worker: string;
  readonly arrivedAtMs: number;
  /** Where several may go in one request; undefined: it went alone. */
  readonly batch?: SeenBatch;
  /** When the answer was handed over or the connection ended; null while it is open. */
  endedAtMs: number | null;
  /** The status of a complete answer; null when there was none. */
  answeredStatus: number | null;
}

/** The request in which a delivery came with others, or might have. */
export interface SeenBatch {
  /** Its header. */
  readonly webhookId: string;
  /** Which request of the run it was. */
  readonly number: number;
  /** Which of those in it, from 0. */
  readonly place: number;
}

export interface DeliveryState {
  readonly id: string;
  readonly eventNumber: number;
  readonly lane: number;
  readonly status: string;
  readonly attempts: number;
  readonly autoAttempts: number;
  readonly interruptions: number;
  readonly lastError: string | null;
}

export interface AttemptState {
  readonly deliveryId: string;
  readonly number: number;
  readonly trigger: string;
  /** A failed one is not charged to the schedule. */
  readonly isProbe?: boolean;
  readonly statusCode: number | null;
  readonly errorClass: string | null;
  readonly error: string | null;
  readonly durationMs: number;
}

/**
 * A time at which a worker died, or was out of action for longer than its leases last; or, with null, at which PostgreSQL crashed
 * under all of them: what they claimed and recorded in the moments before need not be on disk.
 */
export interface Incident {
  readonly worker: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A row that was seen SENDING although its lease had ended and somebody could have given it back. */
export interface OverdueLease {
  readonly deliveryId: string;
  readonly overdueMs: number;
}

/** A time in which nothing of a lane may go out, but what was under way before: once, as it was claimed. */
export interface ClosedTime {
  readonly lane: number;
  readonly why: 'paused' | 'circuit_open';
  readonly fromMs: number;
  readonly toMs: number;
  /** Ids of deliveries. */
  readonly underWay: readonly string[];
}

/** When a request of a lane with a rate may go at the earliest, as it was given away. */
export interface Slot {
  readonly lane: number;
  readonly atMs: number;
}

/** Everything that is known about a run, after it has come to rest. */
export interface RunHistory {
  readonly maxRetries: number;
  /** The time that an attempt may take, in milliseconds. */
  readonly budgetMs: number;
  /** Lanes whose deliveries of one key go one after the other. */
  readonly ordered?: readonly number[];
  /** Retries of lanes with a schedule of their own. */
  readonly retriesOf?: ReadonlyMap<number, number>;
  /** Milliseconds between two requests, of lanes with a rate. */
  readonly rated?: ReadonlyMap<number, number>;
  readonly slots?: readonly Slot[];
  readonly closed?: readonly ClosedTime[];
  /** What was wrong with signatures of requests. */
  readonly forged?: readonly string[];
  readonly events: readonly EmittedEvent[];
  readonly requests: readonly SeenRequest[];
  readonly deliveries: readonly DeliveryState[];
  readonly attempts: readonly AttemptState[];
  readonly incidents: readonly Incident[];
  readonly overdueLeases: readonly OverdueLease[];
}

/** The receiver has taken it. */
export function isDelivered(request: SeenRequest): boolean {
  return request.answeredStatus !== null && request.answeredStatus >= 200 && request.answeredStatus < 300;
}

export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
