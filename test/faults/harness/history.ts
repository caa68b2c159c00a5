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
}

/** One request as the receiver saw it. */
export interface SeenRequest {
  readonly webhookId: string;
  readonly deliveryIdHeader: string;
  /** The event's number, from the body. */
  readonly eventNumber: number;
  readonly lane: number;
  /** Which process sent it: each worker has a user agent of its own. */
  readonly worker: string;
  readonly arrivedAtMs: number;
  /** When the answer was handed over or the connection ended; null while it is open. */
  endedAtMs: number | null;
  /** The status of a complete answer; null when there was none. */
  answeredStatus: number | null;
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

/** Everything that is known about a run, after it has come to rest. */
export interface RunHistory {
  readonly maxRetries: number;
  /** The time that an attempt may take, in milliseconds. */
  readonly budgetMs: number;
  readonly events: readonly EmittedEvent[];
  readonly requests: readonly SeenRequest[];
  readonly deliveries: readonly DeliveryState[];
  readonly attempts: readonly AttemptState[];
  readonly incidents: readonly Incident[];
  readonly overdueLeases: readonly OverdueLease[];
}
