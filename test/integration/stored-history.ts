import type { DataSource } from 'typeorm';

export const TENANT = 'large';
export const ROWS = 20_000;
export const MINUTE_MS = 60_000;

/** The time of the first row; each following one is a minute later. */
export const FIRST_MS = Date.parse('2026-01-01T00:00:00Z');

/** The first has the deliveries of `cost.common`, all of which arrived; the second those of `cost.other`, of which few did. */
export const SUBSCRIPTIONS = ['01940000-0000-7000-8000-000000000001', '01940000-0000-7000-8000-000000000002'];

/** SQL of a UUIDv7 of that millisecond. */
export const MADE_ID = (ms: string): string =>
  `overlay(overlay(gen_random_uuid()::text PLACING '7' FROM 15 FOR 1)
     PLACING left(lpad(to_hex(${ms}), 12, '0'), 8) || '-' || right(lpad(to_hex(${ms}), 12, '0'), 4) FROM 1 FOR 13)::uuid`;

/*
 * The hardest for an index of one filter alone: half of the rows have the one event and half the other, and so it is with the
 * subscriptions; nothing failed of the one half, and four in five of the other. One row in a thousand has a rare name,
 * and as many failed in a rare way.
 */
const STORE = `
WITH row AS (
  SELECT n, $2::bigint + n * ${MINUTE_MS}::bigint AS ms, n % 2 = 0 AS is_common, n % 1000 = 7 AS is_rare
    FROM generate_series(0, $3::int - 1) AS n
), stored AS (
  INSERT INTO webhook_events (tenant_id, id, event, payload, resource_id, created_at)
    SELECT $1::text, ${MADE_ID('ms')}, CASE WHEN is_rare THEN 'cost.rare' WHEN is_common THEN 'cost.common' ELSE 'cost.other' END,
           '{}', CASE WHEN is_rare THEN 'R-' || n WHEN n % 4 = 0 THEN 'often' END, to_timestamp(ms / 1000.0)
      FROM row
  RETURNING tenant_id, id, event, created_at
)
INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, status, attempts, auto_attempts,
                                next_attempt_at, target_url, created_at, updated_at, last_duration_ms, last_status_code,
                                last_error_class)
  SELECT s.tenant_id, ${MADE_ID('of.ms')}, s.id,
         CASE WHEN s.event = 'cost.common' THEN $4::uuid ELSE $5::uuid END, s.event,
         CASE WHEN of.class IS NULL THEN 'DELIVERED' ELSE 'FAILED' END,
         1, 1, NULL, 'https://hooks.customer.com/in', s.created_at, s.created_at, 12,
         CASE of.class WHEN 'dns_error' THEN NULL WHEN 'http_5xx' THEN 500 ELSE 200 END, of.class
    FROM stored s CROSS JOIN LATERAL (SELECT (extract(epoch FROM s.created_at) * 1000)::bigint AS ms) AS made
   CROSS JOIN LATERAL (
     SELECT made.ms, CASE WHEN s.event <> 'cost.other' OR made.ms / ${MINUTE_MS} % 10 = 3 THEN NULL
                          WHEN made.ms / ${MINUTE_MS} % 1000 = 5 THEN 'dns_error' ELSE 'http_5xx' END AS class
   ) AS of
   ORDER BY of.ms`;

/** Fills the tables of a tenant, and leaves them without statistics. */
export async function storeHistory(dataSource: DataSource, rows = ROWS): Promise<void> {
  for (const table of ['webhook_events', 'webhook_deliveries']) {
    await dataSource.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
  }
  await dataSource.query(STORE, [TENANT, FIRST_MS, rows, ...SUBSCRIPTIONS]);
  // Something is open as well, of the first subscription.
  await dataSource.query(
    `UPDATE webhook_deliveries SET status = 'PENDING', next_attempt_at = now() + interval '1 day'
      WHERE tenant_id = $1 AND subscription_id = $2 AND id IN (
        SELECT id FROM webhook_deliveries WHERE tenant_id = $1 AND event = 'cost.common' ORDER BY id DESC LIMIT 5)`,
    [TENANT, SUBSCRIPTIONS[0]],
  );
}
