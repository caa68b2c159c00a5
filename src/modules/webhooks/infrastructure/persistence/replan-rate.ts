import type { Transaction } from '../../application/ports/transaction.js';
import { furthestAheadMs } from '../../domain/gates/rate-gate.js';
import type { RateLimit } from '../../domain/gates/rate-limit.js';
import { managerOf } from './typeorm-transactions.js';

/* As `replannedMs` of domain/gates/rate-gate.ts. */
const REPLAN = `
UPDATE webhook_lanes
   SET rate_next_at = CASE WHEN $3::float8 IS NOT NULL THEN least(rate_next_at, now() + $3::float8 * interval '1 millisecond') END
 WHERE tenant_id = $1 AND subscription_id = $2 AND rate_next_at IS NOT NULL`;

/** What waits for a slot of the rate of before waits no longer than the new one says. */
export async function replanRate(
  transaction: Transaction,
  subscriptionId: string,
  rateLimit: RateLimit | null,
): Promise<void> {
  const aheadMs = rateLimit === null ? null : furthestAheadMs(rateLimit);
  await managerOf(transaction).query(REPLAN, [transaction.tenantId, subscriptionId, aheadMs]);
}
