import {
  CLOSED_CIRCUIT,
  FIRST_PROBE_MS,
  FULL_RAMP,
  GIVE_UP_AFTER_MS,
  GIVE_UP_OPEN_MS,
  LONGEST_PROBE_MS,
  type Circuit,
} from './circuit.js';
import type { CircuitRule } from './circuit-rule.js';
import { countedFrom, sumOf, withAttempts, type RecentAttempts } from './recent-attempts.js';

/** What an attempt says about its endpoint. `busy`: 429. `nothing`: the endpoint saw nothing of it. */
export type CircuitOutcome = 'good' | 'failed' | 'busy' | 'nothing';

export interface CircuitResult {
  /** Of the circuit when the attempt was claimed. */
  readonly epoch: number;
  readonly outcome: CircuitOutcome;
  /** Good ones in a row count together; all others are single. */
  readonly count: number;
  /** In words, when it failed. */
  readonly error: string | null;
  /** The wait that the endpoint asked for, in milliseconds. */
  readonly retryAfterMs: number;
}

/** A circuit after an attempt has ended. The function `webhook_circuit_after`. */
export function circuitAfter(
  circuit: Circuit,
  rule: CircuitRule,
  result: CircuitResult,
  nowMs: number,
): Circuit {
  // While it is open nothing begins, so whatever ends is from before.
  if (result.epoch !== circuit.epoch || circuit.state === 'open') return afterOld(circuit, result, nowMs);
  if (circuit.state === 'half_open') return afterProbe(circuit, result, nowMs);
  if (result.outcome === 'nothing') return circuit;
  return result.outcome === 'good'
    ? afterGood(circuit, result.count, nowMs)
    : afterFailed(circuit, rule, result, nowMs);
}

/** Whether this result, of a probe, ends the subscription. The function `webhook_circuit_given_up`. */
export function isGivenUp(circuit: Circuit, { epoch, outcome }: CircuitResult, nowMs: number): boolean {
  const { state, failingSinceMs, openedAtMs } = circuit;
  if (state !== 'half_open' || epoch !== circuit.epoch || outcome !== 'failed') return false;
  // Open for a day at least: failures of long ago and one of today are not days of failures.
  return (
    failingSinceMs !== null &&
    openedAtMs !== null &&
    failingSinceMs <= nowMs - GIVE_UP_AFTER_MS &&
    openedAtMs <= nowMs - GIVE_UP_OPEN_MS
  );
}

/** It counts for nothing; but an endpoint that answers well is worth a probe. */
function afterOld(circuit: Circuit, { outcome }: CircuitResult, nowMs: number): Circuit {
  if (outcome !== 'good' || circuit.state === 'closed') return circuit;
  const { state, nextProbeAtMs } = circuit;
  const soon = Math.min(nextProbeAtMs ?? nowMs, nowMs);
  return { ...circuit, failingSinceMs: null, nextProbeAtMs: state === 'open' ? soon : nextProbeAtMs };
}

function afterProbe(circuit: Circuit, { outcome, retryAfterMs }: CircuitResult, nowMs: number): Circuit {
  const epoch = circuit.epoch + 1;
  if (outcome === 'good') return { ...CLOSED_CIRCUIT, ramp: 1, countedFromMs: nowMs, epoch };
  const open = { ...circuit, state: 'open', probeId: null, epoch } as const;
  if (outcome === 'nothing') return { ...open, nextProbeAtMs: nowMs };
  const isBusy = outcome === 'busy';
  const sameMs = circuit.probeWaitMs ?? FIRST_PROBE_MS;
  const probeWaitMs = isBusy ? sameMs : Math.min(sameMs * 2, LONGEST_PROBE_MS);
  const waitMs = isBusy ? Math.max(sameMs, Math.min(retryAfterMs, LONGEST_PROBE_MS)) : probeWaitMs;
  return {
    ...open,
    probeWaitMs,
    // Somebody asked for another one while this was under way.
    nextProbeAtMs: nowMs + (circuit.nextProbeId === null ? waitMs : 0),
    failures: circuit.failures + 1,
    failingSinceMs: circuit.failingSinceMs ?? nowMs,
  };
}

function afterGood(circuit: Circuit, count: number, nowMs: number): Circuit {
  const ramp = circuit.ramp === null ? FULL_RAMP : circuit.ramp * 2 ** Math.min(count, FULL_RAMP);
  const recent =
    circuit.recent === null ? null : withAttempts(circuit.recent, nowMs, { attempts: count, failed: 0 });
  return {
    ...circuit,
    failures: 0,
    failingSinceMs: null,
    ramp: ramp >= FULL_RAMP ? null : ramp,
    recent: recent === null || sumOf(recent.failed) === 0 ? null : recent,
  };
}

function afterFailed(circuit: Circuit, rule: CircuitRule, { error }: CircuitResult, nowMs: number): Circuit {
  const failures = circuit.failures + 1;
  const before = circuit.recent ?? countedFrom(nowMs);
  const recent = withAttempts(before, nowMs, { attempts: 1, failed: 1 });
  const failed = { ...circuit, failures, failingSinceMs: circuit.failingSinceMs ?? nowMs, recent };
  const cause = causeOf(failures, recent, rule);
  if (cause === null) return failed;
  return {
    ...failed,
    state: 'open',
    cause: `${cause}; the last: ${error ?? ''}`,
    openedAtMs: nowMs,
    nextProbeAtMs: nowMs + FIRST_PROBE_MS,
    probeWaitMs: FIRST_PROBE_MS,
    ramp: null,
    recent: null,
    epoch: circuit.epoch + 1,
  };
}

/** Why it opens; null: it does not. */
function causeOf(failures: number, { attempts, failed }: RecentAttempts, rule: CircuitRule): string | null {
  if (failures >= rule.failures) return `${failures} failed attempts in a row`;
  const [all, bad] = [sumOf(attempts), sumOf(failed)];
  const isTooMuch = all >= rule.minAttempts && 100 * bad >= rule.percent * all;
  return isTooMuch ? `${bad} of ${all} attempts failed within 5 minutes` : null;
}
