import type { EntityManager } from 'typeorm';

import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import { BY_INDEX, WAITING_LANES, WALK_START } from './waiting-lanes.js';

/** Heads of keys that are asked for the oldest, in a lane that goes in order. */
const HEADS = 20;

/* Beyond what is counted it does not matter any more whether it is much or very much. */
const PENDING = `
SELECT count(*)::int AS pending
  FROM (SELECT FROM webhook_deliveries WHERE status = 'PENDING' LIMIT $1::int) AS counted`;

/* What a gate keeps back is not late. Of a lane that goes in order, the heads that may go count; what is behind them cannot. */
const OLDEST = `
${WAITING_LANES}
SELECT greatest(0, coalesce(extract(epoch FROM now() - min(
         CASE WHEN lane.position IS NULL THEN lane.next_attempt_at
              ELSE (SELECT min(d.next_attempt_at)
                      FROM webhook_heads(lane.subscription_id, '', ${HEADS}, ${HEADS}, now()) AS h
                      JOIN webhook_deliveries d ON d.event_id = ANY (h.event_ids) AND d.subscription_id = lane.subscription_id
                                               AND d.tenant_id = lane.tenant_id) END)) * 1000, 0))::float8 AS age_ms
  FROM lane
 WHERE lane.next_attempt_at <= now()
   AND NOT EXISTS (SELECT FROM webhook_lanes l
                    WHERE l.tenant_id = lane.tenant_id AND l.subscription_id = lane.subscription_id
                      AND (l.paused_at IS NOT NULL OR l.circuit_state <> 'closed' OR l.held_until > now()))`;

/** How many deliveries wait, and for how long the oldest has been due that nothing keeps back; either by a bounded look. */
export async function readBacklog(
  manager: EntityManager,
): Promise<{ readonly oldestDueAgeMs: number; readonly pending: number }> {
  const [counted] = await manager.query<{ pending: number }[]>(PENDING, [ENGINE_LIMITS.backlogCounted]);
  await manager.query(BY_INDEX);
  const [oldest] = await manager.query<{ age_ms: number }[]>(OLDEST, [
    WALK_START.subscriptionId,
    WALK_START.isRetry,
    ENGINE_LIMITS.sweepLooks,
  ]);
  return { oldestDueAgeMs: oldest?.age_ms ?? 0, pending: counted?.pending ?? 0 };
}
