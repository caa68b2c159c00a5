import type { AttemptResult, CircuitTurn, Recorded } from '../../application/ports/delivery-lanes.js';
import { SUBSCRIPTION_DEACTIVATED } from '../../domain/delivery.js';
import { throttleWaitMs } from '../../domain/gates/throttle-gate.js';
import { DEACTIVATED_BY_FAILING, DEACTIVATED_BY_GONE } from '../../domain/subscription.js';
import type { HotStatements } from './hot-statements.js';

const SETTLE = `SELECT * FROM webhook_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
  $20, $21, $22, $23, $24, $25, $26, $27)`;

interface SettledRow {
  readonly moved: string[];
  readonly due: string[];
  /** Subscriptions, with what became of their circuits. */
  readonly turned: string[];
  readonly turns: CircuitTurn[];
}

const NONE: readonly CircuitTurn[] = [];

/** Writes results in one statement; answers one for each, in order. */
export async function recordAttempts(
  statements: HotStatements,
  results: readonly AttemptResult[],
): Promise<Recorded[]> {
  const probes = results.filter((r) => r.isProbe);
  const throttled = results.filter((r) => waitOf(r) > 0);
  const column = <T>(read: (result: AttemptResult) => T): T[] => results.map(read);
  const [row] = await statements.run<SettledRow>(SETTLE, [
    column((r) => r.tenantId),
    column((r) => r.eventId),
    column((r) => r.subscriptionId),
    column((r) => r.deliveryId),
    column((r) => r.leaseToken),
    column((r) => r.number),
    column((r) => r.trigger),
    column((r) => r.durationMs),
    column((r) => r.statusCode),
    column((r) => r.errorClass),
    column((r) => r.error),
    column((r) => r.responseBody),
    column((r) => JSON.stringify(r.requestHeaders)),
    column((r) => r.next.status),
    column((r) => (r.next.status === 'DELIVERED' ? null : r.next.lastError)),
    column((r) => (r.next.status === 'PENDING' ? r.next.delayMs : null)),
    column((r) => r.next.status === 'FAILED' && r.next.deactivate),
    DEACTIVATED_BY_GONE,
    SUBSCRIPTION_DEACTIVATED,
    [...new Set(results.filter((r) => r.asksForMore).map((r) => r.subscriptionId))],
    column((r) => r.epoch),
    probes.map((r) => r.deliveryId),
    probes.map((r) => r.retryAfterMs),
    DEACTIVATED_BY_FAILING,
    column((r) => (r.responseHeaders === null ? null : JSON.stringify(r.responseHeaders))),
    throttled.map((r) => r.deliveryId),
    throttled.map(waitOf),
  ]);
  const held = new Set(row?.moved);
  const due = new Set(row?.due);
  const turns = turnsOf(row);
  return results.map(({ deliveryId, subscriptionId, asksForMore }) => ({
    held: held.has(deliveryId),
    isMoreDue: asksForMore && due.has(subscriptionId),
    turns: taken(turns, subscriptionId),
  }));
}

/** What the answer asks of all that goes to its endpoint, in milliseconds. */
function waitOf({ statusCode, retryAfterMs }: AttemptResult): number {
  return throttleWaitMs(statusCode, retryAfterMs);
}

function turnsOf(row: SettledRow | undefined): Map<string, CircuitTurn[]> {
  const turns = new Map<string, CircuitTurn[]>();
  row?.turned.forEach((subscriptionId, n) => {
    const turn = row.turns[n];
    if (turn !== undefined) turns.set(subscriptionId, [...(turns.get(subscriptionId) ?? []), turn]);
  });
  return turns;
}

/** For the first that asks. */
function taken(turns: Map<string, CircuitTurn[]>, subscriptionId: string): readonly CircuitTurn[] {
  const ofLane = turns.get(subscriptionId) ?? NONE;
  if (ofLane !== NONE) turns.delete(subscriptionId);
  return ofLane;
}
