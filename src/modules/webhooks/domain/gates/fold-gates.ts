import type { HoldReason } from '../delivery.js';
import { batchGate } from './batch-gate.js';
import { circuitGate } from './circuit-gate.js';
import type { Gate, GateAnswer, GatedLane } from './gate.js';
import { orderGate } from './order-gate.js';
import { pauseGate } from './pause-gate.js';
import { rateGate } from './rate-gate.js';
import { isThrottled, throttleGate } from './throttle-gate.js';

/** In their order; what counts what it grants comes last. */
const GATES: readonly (readonly [HoldReason, Gate])[] = [
  ['paused', pauseGate],
  ['circuit_open', circuitGate],
  ['throttled', throttleGate],
  ['order', orderGate],
  ['batching', batchGate],
  ['rate_limited', rateGate],
];

export interface FoldedGates extends GateAnswer {
  /** The first gate that let less through than was wanted; null: none did. */
  readonly reason: HoldReason | null;
}

/** What all gates let through. The function `webhook_gates`. */
export function foldGates(lane: GatedLane, wanted: number, nowMs: number): FoldedGates {
  let folded: FoldedGates = { granted: wanted, reason: null, untilMs: null };
  for (const [reason, gate] of GATES) {
    const { granted, untilMs } = gate(lane, folded.granted, nowMs);
    if (granted === folded.granted) continue;
    // The first one gives the reason; where it does not know until when, a later one may, which keeps back what it let through.
    folded = { granted, reason: folded.reason ?? reason, untilMs: folded.untilMs ?? untilMs };
  }
  return folded;
}

/** Whether new deliveries may be claimed where they are stored. The function `webhook_takes_births`. */
export function takesBirths(
  { isPaused, circuit, heldUntilMs, heads, batches, rateLimit }: GatedLane,
  nowMs: number,
): boolean {
  const isHealthy = circuit.state === 'closed' && circuit.ramp === null && !isThrottled(heldUntilMs, nowMs);
  return !isPaused && isHealthy && heads === null && batches === null && rateLimit === null;
}
