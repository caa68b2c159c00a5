import type { CircuitState } from '../../domain/gates/circuit.js';
import type { NextStep } from '../../domain/retry-policy.js';

/** One recorded attempt, for counting. */
export interface MeasuredAttempt {
  readonly tenantId: string;
  readonly event: string;
  readonly durationMs: number;
  readonly statusCode: number | null;
  /** Why a retry follows, when one does: an error class. */
  readonly reason: string | null;
  readonly next: NextStep;
}

/** What retention removes: the payload of an event, or rows (attempts go with their delivery). */
export type RemovedKind = 'event' | 'delivery' | 'payload';

/** Counts what the engine does. Must not come in: anything that can fail or wait. */
export abstract class DeliveryMetrics {
  abstract attempted(attempt: MeasuredAttempt): void;
  /** A committed event. */
  abstract emitted(event: string): void;
  /** The circuit of an endpoint came to this state. */
  abstract circuitTurned(to: CircuitState): void;
  /** What retention removed. */
  abstract removed(what: RemovedKind, count: number): void;
}
