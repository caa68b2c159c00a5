import type { Transaction } from '../../application/ports/transaction.js';
import { managerOf } from './typeorm-transactions.js';

/** What a delivery waits for because of the order of its endpoint. */
export interface Blocker {
  readonly id: string;
  /** When it is tried again; null: it is under way, or may go now. */
  readonly untilMs: number | null;
}

interface BlockerRow {
  readonly id: string;
  readonly blocked_by: string;
  readonly until: Date | null;
}

/**
 * What is under way of the same key, or waits before it. What is sent again goes before what waits and blocks nothing while it
 * waits for its retry. By indexes of what is open alone, however much has been delivered.
 *
 * @param d the delivery that waits, of an endpoint that wants an order
 */
export function blockerOf(d: string): string {
  return `
   SELECT e.id, e.until FROM (
     (SELECT s.id, NULL::timestamptz AS until, 0 AS nth FROM webhook_deliveries s
       WHERE s.subscription_id = ${d}.subscription_id AND s.status = 'SENDING' AND s.tenant_id = ${d}.tenant_id
         AND (s.position IS NOT NULL OR s.leased_by IS NOT NULL)
         AND coalesce(s.ordering_key, '') = coalesce(${d}.ordering_key, '') LIMIT 1)
     UNION ALL
     (SELECT w.id, CASE WHEN w.next_attempt_at > now() THEN w.next_attempt_at END, 1 FROM webhook_deliveries w
       WHERE w.subscription_id = ${d}.subscription_id AND w.ordering_key = ${d}.ordering_key AND w.status = 'PENDING'
         AND (w.position, w.id) < (${d}.position, ${d}.id) AND (w.position >= 0 OR w.next_attempt_at <= now())
         AND w.tenant_id = ${d}.tenant_id
       ORDER BY w.position, w.id LIMIT 1)
   ) AS e ORDER BY e.nth LIMIT 1`;
}

const BLOCKERS = `
SELECT d.id, b.id AS blocked_by, b.until
  FROM webhook_deliveries d
 CROSS JOIN LATERAL (${blockerOf('d')}) AS b
 WHERE d.tenant_id = $1 AND d.id = ANY ($2::uuid[]) AND d.status = 'PENDING'`;

/** By the ids of those among the deliveries that have to wait for another one; of endpoints with an order. */
export async function blockersOf(
  transaction: Transaction,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Blocker>> {
  if (ids.length === 0) return new Map();
  const rows = await managerOf(transaction).query<BlockerRow[]>(BLOCKERS, [transaction.tenantId, ids]);
  return new Map(rows.map((row) => [row.id, { id: row.blocked_by, untilMs: row.until?.getTime() ?? null }]));
}
