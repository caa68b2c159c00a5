import type { RecentAttempts } from './recent-attempts.js';

/** `open`: nothing is sent. `half_open`: one request finds out whether the endpoint is well again. */
export const CIRCUIT_STATES = ['closed', 'open', 'half_open'] as const;

export type CircuitState = (typeof CIRCUIT_STATES)[number];

/** What is known of an endpoint, in its lane's row. Times are milliseconds. */
export interface Circuit {
  readonly state: CircuitState;
  /** Why it opened, in words; null while closed. */
  readonly cause: string | null;
  readonly openedAtMs: number | null;
  /** When a probe may begin: the next one, or, while one is under way, another in place of one that never ended. */
  readonly nextProbeAtMs: number | null;
  /** What separates probes now; it doubles with each that fails. */
  readonly probeWaitMs: number | null;
  /** The delivery that is the probe under way. */
  readonly probeId: string | null;
  /** The delivery that somebody wants to be the next one. */
  readonly nextProbeId: string | null;
  /** Failed attempts in a row. */
  readonly failures: number;
  /** The first failed attempt since one that went well. */
  readonly failingSinceMs: number | null;
  /** Requests at a time, since it closed and until enough went well; null: no bound of its own. */
  readonly ramp: number | null;
  /** Null when nothing failed lately: then what goes well is not counted. */
  readonly recent: RecentAttempts | null;
  /** What ended before says nothing: it closed then, or its target was replaced. */
  readonly countedFromMs: number | null;
  /** Grows with each change after which results of before say nothing any more. */
  readonly epoch: number;
}

export const CLOSED_CIRCUIT: Circuit = {
  state: 'closed',
  cause: null,
  openedAtMs: null,
  nextProbeAtMs: null,
  probeWaitMs: null,
  probeId: null,
  nextProbeId: null,
  failures: 0,
  failingSinceMs: null,
  ramp: null,
  recent: null,
  countedFromMs: null,
  epoch: 0,
};

/** Milliseconds before the first probe, doubling to the longest. */
export const FIRST_PROBE_MS = 30_000;
export const LONGEST_PROBE_MS = 3_600_000;

/** Milliseconds further ahead than which no probe is ever planned: one that lies there was planned before a clock went back. */
export const PROBE_HORIZON_MS = LONGEST_PROBE_MS + 60_000;

/** Requests at a time at which an endpoint that closed has no bound of its own any more. */
export const FULL_RAMP = 64;

/** Milliseconds of nothing but failures after which a failed probe ends the subscription: five days, one of them open. */
export const GIVE_UP_AFTER_MS = 432_000_000;
export const GIVE_UP_OPEN_MS = 86_400_000;

/** Closed, with nothing held against the endpoint. What waits flows at a bounded pace. */
export function resetCircuit(circuit: Circuit, nowMs: number): Circuit {
  const ramp = circuit.state === 'closed' ? circuit.ramp : 1;
  return { ...CLOSED_CIRCUIT, ramp, countedFromMs: nowMs, epoch: circuit.epoch + 1 };
}

/** Something has changed for the better, perhaps: no need to wait. `deliveryId`: it is to be the probe. */
export function probeSoon(circuit: Circuit, nowMs: number, deliveryId: string | null): Circuit {
  if (circuit.state === 'closed') return circuit;
  const nextProbeId = deliveryId ?? circuit.nextProbeId;
  if (circuit.state === 'half_open') return { ...circuit, nextProbeId };
  return { ...circuit, nextProbeId, nextProbeAtMs: Math.min(circuit.nextProbeAtMs ?? nowMs, nowMs) };
}

/** Activated again after it had been given up: whatever comes first is a probe, and it has its five days again. */
export function probeFirst(circuit: Circuit, nowMs: number): Circuit {
  return {
    ...circuit,
    state: 'half_open',
    openedAtMs: circuit.openedAtMs ?? nowMs,
    nextProbeAtMs: nowMs,
    probeWaitMs: FIRST_PROBE_MS,
    probeId: null,
    nextProbeId: null,
    failingSinceMs: null,
    epoch: circuit.epoch + 1,
  };
}

/** A probe begins. `untilMs`: when its lease ends. */
export function withProbe(circuit: Circuit, probeId: string, untilMs: number): Circuit {
  return {
    ...circuit,
    ...{ state: 'half_open', probeId, nextProbeId: null, nextProbeAtMs: untilMs, epoch: circuit.epoch + 1 },
  };
}

/** A probe did not begin after all, or ended with its process: another may, at once. */
export function withoutProbe(circuit: Circuit, probeId: string, nowMs: number): Circuit {
  if (circuit.probeId !== probeId) return circuit;
  return { ...circuit, state: 'open', probeId: null, nextProbeAtMs: nowMs };
}
