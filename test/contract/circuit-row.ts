import type { Circuit, CircuitState } from '../../src/modules/webhooks/domain/gates/circuit.js';

/** A circuit in the row of its lane, as JSON. */
export interface CircuitJson {
  readonly circuit_state: CircuitState;
  readonly circuit_cause: string | null;
  readonly circuit_opened_at: string | null;
  readonly next_probe_at: string | null;
  readonly probe_wait_ms: number | null;
  readonly probe_id: string | null;
  readonly next_probe_id: string | null;
  readonly failures: number;
  readonly failing_since: string | null;
  readonly ramp: number | null;
  readonly recent_bucket: number | null;
  readonly recent_attempts: readonly number[] | null;
  readonly recent_failed: readonly number[] | null;
  readonly counted_from: string | null;
  readonly epoch: number;
}

const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const ms = (text: string | null): number | null => (text === null ? null : Date.parse(text));

export function rowOf(circuit: Circuit): CircuitJson {
  return {
    circuit_state: circuit.state,
    circuit_cause: circuit.cause,
    circuit_opened_at: at(circuit.openedAtMs),
    next_probe_at: at(circuit.nextProbeAtMs),
    probe_wait_ms: circuit.probeWaitMs,
    probe_id: circuit.probeId,
    next_probe_id: circuit.nextProbeId,
    failures: circuit.failures,
    failing_since: at(circuit.failingSinceMs),
    ramp: circuit.ramp,
    recent_bucket: circuit.recent?.bucket ?? null,
    recent_attempts: circuit.recent?.attempts ?? null,
    recent_failed: circuit.recent?.failed ?? null,
    counted_from: at(circuit.countedFromMs),
    epoch: circuit.epoch,
  };
}

export function circuitOf(row: CircuitJson): Circuit {
  const { recent_bucket: bucket, recent_attempts: attempts, recent_failed: failed } = row;
  const recent =
    bucket === null || attempts === null || failed === null ? null : { bucket, attempts, failed };
  return {
    state: row.circuit_state,
    cause: row.circuit_cause,
    openedAtMs: ms(row.circuit_opened_at),
    nextProbeAtMs: ms(row.next_probe_at),
    probeWaitMs: row.probe_wait_ms,
    probeId: row.probe_id,
    nextProbeId: row.next_probe_id,
    failures: row.failures,
    failingSinceMs: ms(row.failing_since),
    ramp: row.ramp,
    recent,
    countedFromMs: ms(row.counted_from),
    epoch: row.epoch,
  };
}
