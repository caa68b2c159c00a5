import type { AttemptResult, CircuitTurn } from '../application/ports/delivery-lanes.js';
import {
  circuitAfter,
  isGivenUp,
  type CircuitOutcome,
  type CircuitResult,
} from '../domain/gates/circuit-after.js';
import { isShut } from '../domain/gates/circuit-gate.js';
import { isThrottled, throttledAfter, throttleWaitMs } from '../domain/gates/throttle-gate.js';
import { withoutProbe, type Circuit } from '../domain/gates/circuit.js';
import { BUCKETS, bucketOf, countedFrom } from '../domain/gates/recent-attempts.js';
import { DEACTIVATED_BY_FAILING } from '../domain/subscription.js';
import {
  gatedLane,
  type InMemoryStore,
  type StoredDelivery,
  type StoredSubscription,
} from './in-memory-store.js';

/** Deliveries that are looked at for what went well before something failed. */
const LOOKED_AT = 1_000;

/** Tells the circuit of an endpoint how an attempt ended. @returns what became of it */
export function tellCircuit(store: InMemoryStore, result: AttemptResult): CircuitTurn[] {
  const subscription = store.subscriptions.get(result.subscriptionId);
  if (subscription === undefined) return [];
  const nowMs = store.clock.nowMs();
  const { epoch, error, retryAfterMs } = result;
  const told: CircuitResult = { epoch, outcome: outcomeOf(result), count: 1, error, retryAfterMs };
  const begun = withRecent(store, subscription, told, result.deliveryId);
  const isOver = isGivenUp(begun, told, nowMs);
  const after = circuitAfter(begun, subscription.settings.circuit, told, nowMs);
  subscription.laneCircuit = after;
  const heldBefore = subscription.heldUntilMs;
  const waitMs = epoch === begun.epoch ? throttleWaitMs(result.statusCode, retryAfterMs) : 0;
  subscription.heldUntilMs = throttledAfter(heldBefore, waitMs, nowMs);
  if (isOver && subscription.active) store.deactivate(subscription, DEACTIVATED_BY_FAILING);
  const turn = turnOf(begun, after);
  const throttle = throttleTurn(heldBefore, subscription.heldUntilMs, nowMs);
  return [
    ...(throttle === null ? [] : [throttle]),
    ...(turn === null ? [] : [turn]),
    ...(isOver ? (['given_up'] as const) : []),
  ];
}

function outcomeOf({ next, errorClass, statusCode }: AttemptResult): CircuitOutcome {
  if (next.status === 'DELIVERED') return 'good';
  if (errorClass === 'template_error') return 'nothing';
  return statusCode === 429 ? 'busy' : 'failed';
}

function turnOf(before: Circuit, after: Circuit): CircuitTurn | null {
  if (before.state === after.state) return null;
  if (after.state === 'closed') return 'closed';
  return before.state === 'closed' ? 'opened' : 'reopened';
}

function throttleTurn(before: number | null, after: number | null, nowMs: number): CircuitTurn | null {
  const was = isThrottled(before, nowMs);
  if (after !== null) return was ? null : 'throttled';
  return before === null ? null : 'unthrottled';
}

/** What went well before the first failure is looked up once. */
function withRecent(
  store: InMemoryStore,
  { id, laneCircuit: circuit }: StoredSubscription,
  { outcome, epoch }: CircuitResult,
  deliveryId: string,
): Circuit {
  const begins = (outcome === 'failed' || outcome === 'busy') && circuit.recent === null;
  if (!begins || circuit.state !== 'closed' || epoch !== circuit.epoch) return circuit;
  const nowMs = store.clock.nowMs();
  const good = Array<number>(BUCKETS).fill(0);
  const rows = [...store.deliveries.ofLane(id)].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, LOOKED_AT);
  for (const row of rows) {
    const endedAtMs = row.updatedAt.getTime();
    const passed = bucketOf(nowMs) - bucketOf(endedAtMs);
    const counts = row.id !== deliveryId && row.status === 'DELIVERED' && passed < BUCKETS;
    if (counts && endedAtMs > (circuit.countedFromMs ?? -Infinity)) good[passed] = (good[passed] ?? 0) + 1;
  }
  return { ...circuit, recent: countedFrom(nowMs, good) };
}

/** What is due, in the order in which it is a probe: what somebody asked for, then what was probed least. */
export function inProbeOrder(due: StoredDelivery[], circuit: Circuit | null): StoredDelivery[] {
  if (circuit === null) return due;
  const probed = (row: StoredDelivery): number =>
    row.id === circuit.nextProbeId ? -1 : row.attempts - row.autoAttempts;
  return due.sort((a, b) => probed(a) - probed(b));
}

/** Probes that did not begin after all, or ended with their process. */
export function endProbes(
  store: InMemoryStore,
  probes: readonly { readonly id: string; readonly subscriptionId: string }[],
): void {
  for (const { id, subscriptionId } of probes) {
    const subscription = store.subscriptions.get(subscriptionId);
    if (subscription === undefined) continue;
    subscription.laneCircuit = withoutProbe(subscription.laneCircuit, id, store.clock.nowMs());
  }
}

/** Nothing that is due in a lane can go out now, whatever else there is. */
export function isKept(store: InMemoryStore, subscriptionId: string): boolean {
  const { isPaused, circuit, heldUntilMs } = gatedLane(store.subscriptions.get(subscriptionId));
  const nowMs = store.clock.nowMs();
  const isOpen = circuit.state !== 'closed' && isShut(circuit.nextProbeAtMs, nowMs);
  return isPaused || isOpen || isThrottled(heldUntilMs, nowMs);
}
