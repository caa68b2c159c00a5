import type { Transaction } from '../../application/ports/transaction.js';
import { managerOf } from './typeorm-transactions.js';

const PAUSED = `
SELECT subscription_id FROM webhook_lanes
 WHERE tenant_id = $1 AND paused_at IS NOT NULL AND ($2::uuid IS NULL OR subscription_id = $2)`;

/** The ids of a tenant's paused subscriptions; whether `id` is one of them, when it is given. */
export async function pausedLanes(
  transaction: Transaction,
  id: string | null = null,
): Promise<ReadonlySet<string>> {
  const rows = await managerOf(transaction).query<{ subscription_id: string }[]>(PAUSED, [
    transaction.tenantId,
    id,
  ]);
  return new Set(rows.map((row) => row.subscription_id));
}
