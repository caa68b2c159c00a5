import { PROBE_HORIZON_MS, type Circuit } from './circuit.js';
import type { Gate } from './gate.js';

/** While the circuit is not closed: nothing, or one request when it is time for a probe. The function `webhook_gate_circuit`. */
export const circuitGate: Gate = ({ circuit: { state, nextProbeAtMs } }, wanted, nowMs) => {
  if (state === 'closed') return { granted: wanted, untilMs: null };
  return isShut(nextProbeAtMs, nowMs)
    ? { granted: 0, untilMs: nextProbeAtMs }
    : { granted: Math.min(wanted, 1), untilMs: null };
};

/** Whether it is too early for a probe. */
export function isShut(nextProbeAtMs: number | null, nowMs: number): nextProbeAtMs is number {
  return nextProbeAtMs !== null && nextProbeAtMs > nowMs && nextProbeAtMs < nowMs + PROBE_HORIZON_MS;
}

/**
 * Places of an endpoint whose circuit closed lately: what waited must not fall on it all at once.
 *
 * @param underWay its requests, of all processes
 */
export function rampedPlaces({ ramp }: Pick<Circuit, 'ramp'>, free: number, underWay: number): number {
  return ramp === null ? free : Math.max(0, Math.min(free, ramp - underWay));
}
