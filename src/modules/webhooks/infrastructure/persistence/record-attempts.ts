import type { AttemptResult, CircuitTurn, Recorded } from '../../application/ports/delivery-lanes.js';
import { SUBSCRIPTION_DEACTIVATED } from '../../domain/delivery.js';
import { throttleWaitMs } from '../../domain/gates/throttle-gate.js';
import { isOperational } from '../../domain/operational-event.js';
import { DEACTIVATED_BY_FAILING, DEACTIVATED_BY_GONE } from '../../domain/subscription.js';
import type { HotStatements } from './hot-statements.js';

/** Arguments of `webhook_settle`; what comes after them is of the functions behind it. */
const SETTLE_ARGUMENTS = 28;

const settled = Array.from({ length: SETTLE_ARGUMENTS }, (_, n) => `$${n + 1}`).join(', ');
const after = (n: number): string => `$${SETTLE_ARGUMENTS + n}`;
const ofFailures = Array.from({ length: 7 }, (_, n) => after(n + 2)).join(', ');

/*
 * What follows from a settlement is written in its statement, by functions of their own: what others are to be told of, only
 * where something ended badly or a circuit turned; and its attempts for the statistics.
 */
const SETTLE = `
SELECT s.moved, s.due, s.turned, s.turns,
       CASE WHEN ${after(1)}::boolean OR cardinality(s.turned) > 0
            THEN webhook_note_settled($1, $3, $17, ${ofFailures}, s.moved, s.turned, s.turns) END AS noted,
       webhook_measure($1, $3, $4, $6, $14, $10, $8, s.moved) AS measured
  FROM webhook_settle(${settled}) AS s`;

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
    column((r) => headersText(r.responseHeaders)),
    throttled.map((r) => r.deliveryId),
    throttled.map(waitOf),
    results.filter((r) => r.next.status === 'PENDING' && r.next.isApart === true).map((r) => r.deliveryId),
    results.some(({ next }) => next.status === 'FAILED'),
    ...failuresOf(results),
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

/** Of the failed attempts that others may be told of: what becomes of an operational event makes no other. */
function failuresOf(results: readonly AttemptResult[]): readonly unknown[][] {
  const failures = results.filter(({ next, event }) => next.status !== 'DELIVERED' && !isOperational(event));
  return [
    failures.map((r) => r.tenantId),
    failures.map((r) => r.subscriptionId),
    failures.map((r) => r.deliveryId),
    failures.map((r) => r.event),
    failures.map((r) => r.next.status === 'FAILED'),
    failures.map((r) => r.error),
    failures.map((r) => r.number),
  ];
}

/** Many results have the same. */
const texts = new WeakMap<Readonly<Record<string, string>>, string>();

function headersText(headers: Readonly<Record<string, string>> | null): string | null {
  if (headers === null) return null;
  const known = texts.get(headers);
  if (known !== undefined) return known;
  const text = JSON.stringify(headers);
  texts.set(headers, text);
  return text;
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
