import { Injectable } from '@nestjs/common';

import { HeldDeliveries, type HeldCounts } from '../../application/ports/held-deliveries.js';
import { HOLD_REASONS, type HoldReason } from '../../domain/delivery.js';
import { notesOf } from './exhausted-notices.js';
import { heldReason } from './held-reason.js';
import { blockerOf } from './order-blockers.js';
import { WorkerTransaction } from './worker-transaction.js';

/** One process at a time: two would only wait for each other's rows. */
const LOCK = `SELECT pg_try_advisory_xact_lock(hashtextextended('webhooks: end of holds', 0)) AS locked`;

const LONG_AGO = `now() - $1::int * interval '1 day'`;

/*
 * A gate of the lane holds what is due: since it is due, or since the gate closed, whichever came later. What the service cannot
 * send has its own time; it is held while `held_until` is the due time.
 */
const END = `
WITH kept AS MATERIALIZED (
  SELECT l.subscription_id FROM webhook_lanes l
   WHERE l.paused_at < ${LONG_AGO}
      OR l.circuit_state <> 'closed' AND coalesce(l.failing_since, l.circuit_opened_at) < ${LONG_AGO}
      OR l.rate_next_at IS NOT NULL AND EXISTS (
           SELECT FROM webhook_subscriptions s
            WHERE s.tenant_id = l.tenant_id AND s.id = l.subscription_id AND s.settings -> 'rate_limit' IS NOT NULL)
), by_lane AS (
  SELECT waiting.* FROM kept CROSS JOIN (VALUES (false), (true)) AS r (is_retry) CROSS JOIN LATERAL (
    SELECT d.tenant_id, d.event_id, d.subscription_id FROM webhook_deliveries d
     WHERE d.subscription_id = kept.subscription_id AND d.is_retry = r.is_retry AND d.status = 'PENDING'
       AND d.next_attempt_at < ${LONG_AGO}
     ORDER BY d.next_attempt_at LIMIT $3::int FOR UPDATE SKIP LOCKED
  ) AS waiting
   LIMIT $3::int
), by_us AS (
  SELECT d.tenant_id, d.event_id, d.subscription_id FROM webhook_deliveries d
   WHERE d.status = 'PENDING' AND d.held_since < ${LONG_AGO} AND d.held_until = d.next_attempt_at
   LIMIT $3::int FOR UPDATE SKIP LOCKED
), ended AS (
  UPDATE webhook_deliveries d
     SET status = 'FAILED', last_error = $2, next_attempt_at = NULL, next_trigger = 'auto', updated_at = now()
    FROM (SELECT * FROM by_lane UNION SELECT * FROM by_us) AS old
   WHERE d.event_id = old.event_id AND d.subscription_id = old.subscription_id AND d.tenant_id = old.tenant_id
  RETURNING d.tenant_id, d.subscription_id, d.id, d.event, d.attempts, d.last_error
), noted AS (${notesOf('SELECT * FROM ended')}
)
SELECT count(*)::int AS count, (SELECT count(told) FROM noted) AS noted FROM ended`;

/*
 * Lanes and settings that may keep something back: most do not. What the lane does not hold may be one that the service itself
 * cannot send.
 */
const COUNT = `
SELECT h.reason, count(*)::int AS count
  FROM webhook_deliveries d
  LEFT JOIN webhook_lanes l
    ON l.tenant_id = d.tenant_id AND l.subscription_id = d.subscription_id
   AND (l.paused_at IS NOT NULL OR l.circuit_state <> 'closed' OR l.held_until > now() OR l.rate_next_at > now())
  LEFT JOIN webhook_subscriptions s
    ON s.tenant_id = d.tenant_id AND s.id = d.subscription_id
   AND (s.settings -> 'batch' IS NOT NULL OR s.settings -> 'rate_limit' IS NOT NULL OR s.settings -> 'ordering' IS NOT NULL)
 CROSS JOIN LATERAL (
   SELECT coalesce(${heldReason({
     ...{ lane: 'l', settings: 's.settings', dueAt: 'd.next_attempt_at', now: 'now()' },
     isBehind: `s.settings ->> 'ordering' = 'fifo' AND EXISTS (${blockerOf('d')})`,
   })}, CASE WHEN d.held_until = d.next_attempt_at THEN d.held_reason END) AS reason
   OFFSET 0
 ) AS h
 WHERE d.status = 'PENDING' AND h.reason IS NOT NULL
 GROUP BY h.reason`;

/** Over all tenants, in the worker's role. */
@Injectable()
export class TypeormHeldDeliveries extends HeldDeliveries {
  constructor(private readonly transactions: WorkerTransaction) {
    super();
  }

  override async end(olderThanDays: number, lastError: string, limit: number): Promise<number | null> {
    return this.transactions.run(async (manager) => {
      const [lock] = await manager.query<{ locked: boolean }[]>(LOCK);
      if (lock?.locked !== true) return null;
      const [row] = await manager.query<{ count: number }[]>(END, [olderThanDays, lastError, limit]);
      return row?.count ?? 0;
    });
  }

  override async count(): Promise<HeldCounts> {
    const rows = await this.transactions.run((manager) =>
      manager.query<{ reason: HoldReason; count: number }[]>(COUNT),
    );
    const counts = new Map(rows.map(({ reason, count }) => [reason, count]));
    return Object.fromEntries(HOLD_REASONS.map((reason) => [reason, counts.get(reason) ?? 0])) as HeldCounts;
  }
}
