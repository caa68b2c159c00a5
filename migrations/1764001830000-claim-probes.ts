import type { MigrationInterface, QueryRunner } from 'typeorm';

import { CLAIM as CLAIM_BEFORE } from './1764001520000-open-lanes.js';

/**
 * A claim from a lane whose circuit is not closed is a probe: one delivery, of those due the one that was probed least, and the
 * lane's row says that it is under way. Processes of the version before claim probes as well, and do not say how they ended:
 * when the lease of one ends, another begins.
 */
export class ClaimProbes1764001830000 implements MigrationInterface {
  name = 'ClaimProbes1764001830000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [DROP, CLAIM]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [DROP, CLAIM_BEFORE]) await queryRunner.query(statement);
  }
}

const DROP = `DROP FUNCTION webhook_claim(uuid[], text[], integer[], integer[], integer[], integer[], uuid, uuid, integer, integer, integer)`;

/* As in the migration of the engine's functions, where it is explained. */
const BY_KEY = `SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off`;

/*
 * As before, and: how many requests the endpoint may have at a time while it comes back (ramp), probes, and the epoch of the
 * circuit that each claim belongs to. What was probed more often is what its counters differ by: a probe that failed takes its
 * automatic attempt back. A hundred of either kind are looked at, however many wait.
 */
const CLAIM = `
CREATE FUNCTION webhook_claim(
  p_lanes uuid[], p_tenants text[], p_wanted integer[], p_retries integer[], p_left integer[], p_retries_left integer[],
  p_token uuid, p_owner uuid, p_lease_ms integer, p_margin_ms integer, p_ahead_ms integer
) RETURNS TABLE (
  lane_id uuid, short boolean, reason text, held_ms float8, due_first integer, due_retries integer, next_first_ms float8,
  next_retry_ms float8, wait_ms float8, id uuid, tenant_id text, event_id uuid, event text, attempts integer,
  auto_attempts integer, trigger text, is_retry boolean, target_url text, secret text, previous_secret text,
  active boolean, payload text, settings text, epoch integer, probe boolean
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
             s.active AND l.circuit_state <> 'closed' AS probing, l.next_probe_id, l.epoch,
             CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret END AS previous_secret
        FROM unnest(p_lanes, p_tenants, p_wanted, p_retries, p_left, p_retries_left)
             AS lane (id, tenant, wanted, retries, remaining, retries_remaining)
        JOIN webhook_lanes l ON l.tenant_id = lane.tenant AND l.subscription_id = lane.id
        JOIN webhook_subscriptions s ON s.tenant_id = lane.tenant AND s.id = lane.id
       CROSS JOIN LATERAL (
         SELECT (count(*) FILTER (WHERE d.leased_by IS DISTINCT FROM p_owner))::int AS sending,
                (count(*) FILTER (WHERE d.is_retry AND d.leased_by IS DISTINCT FROM p_owner))::int AS retrying,
                count(*)::int AS everywhere
           FROM webhook_deliveries d
          WHERE d.subscription_id = lane.id AND d.status = 'SENDING'
       ) AS busy
       CROSS JOIN LATERAL (
         SELECT greatest(0, least(lane.wanted, lane.remaining - busy.sending, l.ramp - busy.everywhere)) AS free
       ) AS places
       CROSS JOIN LATERAL webhook_gates(l, s.settings, places.free, now(), v_ahead) AS gate
        LEFT JOIN LATERAL webhook_rate_slots(l, s.settings, now(), v_ahead) AS slots ON true
       WHERE lane.id = ANY (v_locked)
    ), first_attempts AS MATERIALIZED (
      SELECT due.* FROM room CROSS JOIN LATERAL (
        SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
          FROM webhook_deliveries d
         WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
         ORDER BY d.next_attempt_at, d.id LIMIT CASE WHEN room.probing THEN 0 ELSE greatest(0, room.wanted) END FOR UPDATE SKIP LOCKED
      ) AS due
    ), retries AS MATERIALIZED (
      SELECT due.* FROM room CROSS JOIN LATERAL (
        SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
          FROM webhook_deliveries d
         WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
         ORDER BY d.next_attempt_at, d.id LIMIT CASE WHEN room.probing THEN 0 ELSE greatest(0, least(room.wanted, room.retries)) END FOR UPDATE SKIP LOCKED
      ) AS due
    ), probes AS MATERIALIZED (
      SELECT due.* FROM room CROSS JOIN LATERAL (
        SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
          FROM (
            SELECT c.* FROM (
              (SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_attempt_at, d.attempts - d.auto_attempts AS probed
                 FROM webhook_deliveries d
                WHERE d.tenant_id = room.tenant_id AND d.id = room.next_probe_id AND d.subscription_id = room.id
                  AND d.status = 'PENDING' AND d.next_attempt_at <= now())
              UNION ALL
              (SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_attempt_at, d.attempts - d.auto_attempts
                 FROM webhook_deliveries d
                WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                ORDER BY d.next_attempt_at, d.id LIMIT 100)
              UNION ALL
              (SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_attempt_at, d.attempts - d.auto_attempts
                 FROM webhook_deliveries d
                WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                ORDER BY d.next_attempt_at, d.id LIMIT CASE WHEN room.retries > 0 THEN 100 ELSE 0 END)
            ) AS c ORDER BY c.id = room.next_probe_id DESC NULLS LAST, c.probed, c.next_attempt_at, c.id LIMIT 1
          ) AS best
          JOIN webhook_deliveries d ON d.event_id = best.event_id AND d.subscription_id = best.subscription_id
           AND d.tenant_id IS NOT DISTINCT FROM best.tenant_id
         WHERE d.status = 'PENDING' FOR UPDATE OF d SKIP LOCKED
      ) AS due WHERE room.probing AND room.wanted > 0
    ), picked AS MATERIALIZED (
      SELECT o.*, room.url, room.settings, room.slot + (o.place - 1) * room.step AS slot
        FROM (SELECT due.*, row_number() OVER (PARTITION BY due.subscription_id ORDER BY due.next_attempt_at, due.id) AS place
                FROM (SELECT * FROM first_attempts UNION ALL SELECT * FROM retries UNION ALL SELECT * FROM probes) AS due) AS o
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
      UPDATE webhook_lanes l
         SET rate_next_at = coalesce(room.slot + taken.slots * room.step, l.rate_next_at),
             circuit_state = CASE WHEN room.probing THEN 'half_open' ELSE l.circuit_state END,
             next_probe_at = CASE WHEN room.probing
               THEN now() + webhook_lease_ms(room.settings, p_lease_ms, p_margin_ms) * interval '1 millisecond' END,
             probe_id = CASE WHEN room.probing THEN taken.first END, next_probe_id = NULL,
             epoch = l.epoch + room.probing::int
        FROM room
       CROSS JOIN LATERAL (SELECT count(*) AS slots, (array_agg(p.id))[1] AS first FROM picked p WHERE p.subscription_id = room.id) AS taken
       WHERE (room.probing OR room.step IS NOT NULL) AND taken.slots > 0
         AND l.tenant_id = room.tenant_id AND l.subscription_id = room.id
    )
    SELECT room.id, room.short, room.reason, extract(epoch FROM room.until - now())::float8 * 1000,
           first.due, retry.due, first.next_ms, retry.next_ms,
           greatest(0, extract(epoch FROM c.slot - now())::float8 * 1000), c.id, c.tenant_id, c.event_id, c.event, c.attempts, c.auto_attempts,
           c.trigger, c.is_retry, room.url, room.secret, room.previous_secret, room.active, e.payload::text,
           room.settings::text, room.epoch + room.probing::int, room.probing
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
