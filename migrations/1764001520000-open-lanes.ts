import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Opening a lane: its row is locked, its gates decide, and the answer says besides the claims what is left, so that whoever
 * asked knows who goes on. The function of before stays: processes of the version before go on with it until they are
 * restarted.
 */
export class OpenLanes1764001520000 implements MigrationInterface {
  name = 'OpenLanes1764001520000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(CLAIM);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `DROP FUNCTION webhook_claim(uuid[], text[], integer[], integer[], integer[], integer[], uuid, uuid, integer, integer, integer)`,
    );
  }
}

/* As in the migration of the engine's functions, where it is explained. */
const BY_KEY = `SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off`;

/*
 * As before, and with each lane: short (others hold places that were asked for), reason and held_ms (a gate lets less through,
 * until then), due_first and due_retries (those due before the claims of this call, counted to one more than it may take), and
 * when the next ones will be. All of it is what the statement itself saw. wait_ms: how long a claim waits for its slot.
 *
 * A lane whose row is locked is not among the rows: another process is opening it, or somebody changes what it may do. The lock
 * is taken in a statement before the claim, which must see what the last holder of the lock committed.
 */
export const CLAIM = `
CREATE FUNCTION webhook_claim(
  p_lanes uuid[], p_tenants text[], p_wanted integer[], p_retries integer[], p_left integer[], p_retries_left integer[],
  p_token uuid, p_owner uuid, p_lease_ms integer, p_margin_ms integer, p_ahead_ms integer
) RETURNS TABLE (
  lane_id uuid, short boolean, reason text, held_ms float8, due_first integer, due_retries integer, next_first_ms float8,
  next_retry_ms float8, wait_ms float8, id uuid, tenant_id text, event_id uuid, event text, attempts integer,
  auto_attempts integer, trigger text, is_retry boolean, target_url text, secret text, previous_secret text,
  active boolean, payload text, settings text
) LANGUAGE plpgsql ${BY_KEY} AS $$
#variable_conflict use_column
DECLARE
  v_ahead interval := p_ahead_ms * interval '1 millisecond';
  v_locked uuid[];
BEGIN
  PERFORM set_config('role', 'webhooks_worker', true), set_config('synchronous_commit', 'off', true);
  SELECT coalesce(array_agg(locked.id), '{}') INTO v_locked FROM (
    SELECT l.subscription_id AS id FROM unnest(p_lanes, p_tenants) AS a (id, tenant)
      JOIN webhook_lanes l ON l.tenant_id = a.tenant AND l.subscription_id = a.id
       FOR UPDATE OF l SKIP LOCKED
  ) AS locked;
  -- One without a row (a table restored without its triggers) would never be opened: it has one from the next time on.
  IF cardinality(v_locked) < cardinality(p_lanes) THEN
    INSERT INTO webhook_lanes (tenant_id, subscription_id)
      SELECT s.tenant_id, s.id FROM unnest(p_lanes, p_tenants) AS a (id, tenant)
        JOIN webhook_subscriptions s ON s.tenant_id = a.tenant AND s.id = a.id
       WHERE NOT EXISTS (SELECT FROM webhook_lanes l WHERE l.tenant_id = a.tenant AND l.subscription_id = a.id)
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN QUERY
    WITH room AS MATERIALIZED (
      SELECT lane.id, l.tenant_id, places.free < lane.wanted AS short,
             CASE WHEN s.active THEN gate.granted ELSE places.free END AS wanted, gate.reason, gate.until,
             least(lane.retries, lane.retries_remaining - busy.retrying) AS retries,
             s.url, s.secret, s.active, s.settings, slots.first AS slot, slots.step,
             CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret END AS previous_secret
        FROM unnest(p_lanes, p_tenants, p_wanted, p_retries, p_left, p_retries_left)
             AS lane (id, tenant, wanted, retries, remaining, retries_remaining)
        JOIN webhook_lanes l ON l.tenant_id = lane.tenant AND l.subscription_id = lane.id
        JOIN webhook_subscriptions s ON s.tenant_id = lane.tenant AND s.id = lane.id
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS sending, (count(*) FILTER (WHERE d.is_retry))::int AS retrying
           FROM webhook_deliveries d
          WHERE d.subscription_id = lane.id AND d.status = 'SENDING' AND d.leased_by IS DISTINCT FROM p_owner
       ) AS busy
       CROSS JOIN LATERAL (SELECT greatest(0, least(lane.wanted, lane.remaining - busy.sending)) AS free) AS places
       CROSS JOIN LATERAL webhook_gates(l, s.settings, places.free, now(), v_ahead) AS gate
        LEFT JOIN LATERAL webhook_rate_slots(l, s.settings, now(), v_ahead) AS slots ON true
       WHERE lane.id = ANY (v_locked)
    ), first_attempts AS MATERIALIZED (
      SELECT due.* FROM room CROSS JOIN LATERAL (
        SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
          FROM webhook_deliveries d
         WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
         ORDER BY d.next_attempt_at, d.id LIMIT greatest(0, room.wanted) FOR UPDATE SKIP LOCKED
      ) AS due
    ), retries AS MATERIALIZED (
      SELECT due.* FROM room CROSS JOIN LATERAL (
        SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
          FROM webhook_deliveries d
         WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
         ORDER BY d.next_attempt_at, d.id LIMIT greatest(0, least(room.wanted, room.retries)) FOR UPDATE SKIP LOCKED
      ) AS due
    ), picked AS MATERIALIZED (
      SELECT o.*, room.url, room.settings, room.slot + (o.place - 1) * room.step AS slot
        FROM (SELECT due.*, row_number() OVER (PARTITION BY due.subscription_id ORDER BY due.next_attempt_at, due.id) AS place
                FROM (SELECT * FROM first_attempts UNION ALL SELECT * FROM retries) AS due) AS o
        JOIN room ON room.id = o.subscription_id AND o.place <= room.wanted
    ), claimed AS (
      UPDATE webhook_deliveries d
         SET status = 'SENDING', attempts = d.attempts + 1,
             auto_attempts = d.auto_attempts + (p.next_trigger = 'auto')::int,
             lease_token = p_token, leased_by = p_owner,
             leased_until = now() + webhook_lease_ms(p.settings, p_lease_ms, p_margin_ms) * interval '1 millisecond',
             target_url = p.url, updated_at = now()
        FROM picked p
       WHERE d.event_id = p.event_id AND d.subscription_id = p.subscription_id
         AND d.tenant_id IS NOT DISTINCT FROM p.tenant_id
      RETURNING d.id, d.tenant_id, d.subscription_id, d.event_id, d.event, d.attempts, d.auto_attempts,
                p.next_trigger AS trigger, d.is_retry, p.slot
    ), charged AS (
      UPDATE webhook_lanes l SET rate_next_at = room.slot + taken.slots * room.step
        FROM room
       CROSS JOIN LATERAL (SELECT count(*) AS slots FROM picked p WHERE p.subscription_id = room.id) AS taken
       WHERE room.step IS NOT NULL AND taken.slots > 0 AND l.tenant_id = room.tenant_id AND l.subscription_id = room.id
    )
    SELECT room.id, room.short, room.reason, extract(epoch FROM room.until - now())::float8 * 1000,
           first.due, retry.due, first.next_ms, retry.next_ms,
           greatest(0, extract(epoch FROM c.slot - now())::float8 * 1000), c.id, c.tenant_id, c.event_id, c.event, c.attempts, c.auto_attempts,
           c.trigger, c.is_retry, room.url, room.secret, room.previous_secret, room.active, e.payload::text,
           room.settings::text
      FROM room
     CROSS JOIN LATERAL (
       SELECT (SELECT count(*)::int FROM (
                 SELECT FROM webhook_deliveries d
                  WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted + 1) AS due) AS due,
              (SELECT extract(epoch FROM d.next_attempt_at - now())::float8 * 1000 FROM webhook_deliveries d
                WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at > now()
                ORDER BY d.next_attempt_at LIMIT 1) AS next_ms
     ) AS first
     CROSS JOIN LATERAL (
       SELECT (SELECT count(*)::int FROM (
                 SELECT FROM webhook_deliveries d
                  WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted + 1) AS due) AS due,
              (SELECT extract(epoch FROM d.next_attempt_at - now())::float8 * 1000 FROM webhook_deliveries d
                WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at > now()
                ORDER BY d.next_attempt_at LIMIT 1) AS next_ms
     ) AS retry
      LEFT JOIN claimed c ON c.subscription_id = room.id
      LEFT JOIN webhook_events e ON e.tenant_id = c.tenant_id AND e.id = c.event_id
     ORDER BY c.id;
END
$$`;
