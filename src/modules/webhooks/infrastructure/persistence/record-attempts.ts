import type { EntityManager } from 'typeorm';

import type { AttemptResult } from '../../application/ports/delivery-lanes.js';
import { SYSTEM_ACTOR } from '../../domain/audit.js';
import { DEACTIVATED_BY_GONE } from '../../domain/subscription.js';
import { endWaitingDeliveries } from './ended-deliveries.js';

/*
 * The attempt and the state that follows from it, in one statement. A row whose lease is not ours any more keeps its
 * state; the attempt is recorded all the same, over the placeholder that the sweep may have left for it.
 */
const RECORD = `
WITH result AS (
  SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::int[], $7::int[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::float8[]
  ) AS r (tenant_id, delivery_id, lease_token, number, trigger, duration_ms, status_code, error_class, error,
          response_body, request_headers, status, last_error, delay_ms)
), moved AS (
  UPDATE webhook_deliveries d
     SET status = r.status,
         last_error = r.last_error,
         next_attempt_at = CASE WHEN r.status = 'PENDING' THEN now() + r.delay_ms * interval '1 millisecond' END,
         next_trigger = 'auto',
         is_retry = r.status = 'PENDING',
         lease_token = NULL,
         leased_until = NULL,
         updated_at = now()
    FROM result r
   WHERE d.tenant_id = r.tenant_id AND d.id = r.delivery_id AND d.lease_token = r.lease_token
  RETURNING d.id
), logged AS (
  INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, status_code, error_class,
                                error, request_headers, response_body)
    SELECT r.tenant_id, r.delivery_id, r.number, r.trigger, now() - r.duration_ms * interval '1 millisecond',
           r.duration_ms, r.status_code, r.error_class, r.error, r.request_headers::json, r.response_body
      FROM result r
  ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE
     SET started_at = excluded.started_at, duration_ms = excluded.duration_ms, status_code = excluded.status_code,
         error_class = excluded.error_class, error = excluded.error, request_headers = excluded.request_headers,
         response_body = excluded.response_body
)
SELECT id FROM moved`;

const DEACTIVATE = `
WITH deactivated AS (
  UPDATE webhook_subscriptions s
     SET active = false, deactivated_at = now(), deactivation_reason = $3, updated_at = now()
    FROM unnest($1::text[], $2::uuid[]) AS gone (tenant_id, id)
   WHERE s.tenant_id = gone.tenant_id AND s.id = gone.id AND s.active
  RETURNING s.tenant_id, s.id
), ended AS (${endWaitingDeliveries('deactivated')}
)
INSERT INTO webhook_audit (tenant_id, actor_type, actor, action, resource_type, resource_id, details)
  SELECT tenant_id, 'system', '${SYSTEM_ACTOR}', 'subscription.deactivated', 'subscription', id,
         json_build_object('reason', $3::text)
    FROM deactivated`;

/** @returns for each result whether its lease still held. */
export async function recordAttempts(
  manager: EntityManager,
  results: readonly AttemptResult[],
): Promise<boolean[]> {
  const column = <T>(read: (result: AttemptResult) => T): T[] => results.map(read);
  const moved = await manager.query<{ id: string }[]>(RECORD, [
    column((r) => r.tenantId),
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
  ]);
  const held = new Set(moved.map((row) => row.id));
  const gone = results.filter(
    (r) => r.next.status === 'FAILED' && r.next.deactivate && held.has(r.deliveryId),
  );
  if (gone.length > 0) {
    await manager.query(DEACTIVATE, [
      gone.map((r) => r.tenantId),
      gone.map((r) => r.subscriptionId),
      DEACTIVATED_BY_GONE,
    ]);
  }
  return results.map((result) => held.has(result.deliveryId));
}
