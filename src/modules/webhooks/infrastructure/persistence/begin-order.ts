import type { Transaction } from '../../application/ports/transaction.js';
import { managerOf } from './typeorm-transactions.js';

/*
 * What waits, or is under way, when an endpoint begins to want an order: as if it had been stored now, in the order of before.
 * What others store at this moment has no position, and goes first.
 */
const BEGIN = `
UPDATE webhook_deliveries d SET position = o.position, ordering_key = o.key
  FROM (
    SELECT w.event_id, nextval('public.webhook_positions') AS position,
           coalesce((SELECT e.ordering_key FROM webhook_events e WHERE e.tenant_id = $1 AND e.id = w.event_id), '') AS key
      FROM (
        SELECT event_id FROM webhook_deliveries
         WHERE tenant_id = $1 AND subscription_id = $2 AND status IN ('PENDING', 'SENDING') AND position IS NULL ORDER BY id
      ) AS w
  ) AS o
 WHERE d.tenant_id = $1 AND d.subscription_id = $2 AND d.event_id = o.event_id`;

/** Gives everything that is open of an endpoint its place. */
export async function beginOrder(transaction: Transaction, subscriptionId: string): Promise<void> {
  await managerOf(transaction).query(BEGIN, [transaction.tenantId, subscriptionId]);
}
