import {
  DeliveryMetrics,
  type MeasuredAttempt,
  type RemovedKind,
} from '../application/ports/delivery-metrics.js';
import type { CircuitState } from '../domain/gates/circuit.js';

/** Keeps what it was told. */
export class RecordingDeliveryMetrics extends DeliveryMetrics {
  readonly attempts: MeasuredAttempt[] = [];
  readonly events: string[] = [];
  readonly circuits: CircuitState[] = [];
  readonly removals: Record<RemovedKind, number> = { event: 0, delivery: 0, payload: 0 };

  override attempted(attempt: MeasuredAttempt): void {
    this.attempts.push(attempt);
  }

  override emitted(event: string): void {
    this.events.push(event);
  }

  override circuitTurned(to: CircuitState): void {
    this.circuits.push(to);
  }

  override removed(what: RemovedKind, count: number): void {
    this.removals[what] += count;
  }
}
