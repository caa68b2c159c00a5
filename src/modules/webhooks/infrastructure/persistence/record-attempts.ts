import type { AttemptResult } from '../../application/ports/delivery-lanes.js';
import { SUBSCRIPTION_DEACTIVATED } from '../../domain/delivery.js';
import { DEACTIVATED_BY_GONE } from '../../domain/subscription.js';
import type { HotStatements } from './hot-statements.js';

const SETTLE = `SELECT webhook_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
  AS moved`;

/** @returns for each result whether its lease still held. */
export async function recordAttempts(
  statements: HotStatements,
  results: readonly AttemptResult[],
): Promise<boolean[]> {
  const column = <T>(read: (result: AttemptResult) => T): T[] => results.map(read);
  const [row] = await statements.run<{ moved: string[] }>(SETTLE, [
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
  ]);
  const held = new Set(row?.moved);
  return results.map((result) => held.has(result.deliveryId));
}
