import type { AttemptResult, Recorded } from '../../application/ports/delivery-lanes.js';
import { SUBSCRIPTION_DEACTIVATED } from '../../domain/delivery.js';
import { DEACTIVATED_BY_GONE } from '../../domain/subscription.js';
import type { HotStatements } from './hot-statements.js';

const SETTLE = `SELECT * FROM webhook_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
  $20)`;

/** Writes results in one statement; answers one for each, in order. */
export async function recordAttempts(
  statements: HotStatements,
  results: readonly AttemptResult[],
): Promise<Recorded[]> {
  const column = <T>(read: (result: AttemptResult) => T): T[] => results.map(read);
  const [row] = await statements.run<{ moved: string[]; due: string[] }>(SETTLE, [
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
  ]);
  const held = new Set(row?.moved);
  const due = new Set(row?.due);
  return results.map(({ deliveryId, subscriptionId, asksForMore }) => ({
    held: held.has(deliveryId),
    isMoreDue: asksForMore && due.has(subscriptionId),
  }));
}
