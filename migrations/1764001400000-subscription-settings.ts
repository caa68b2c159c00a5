import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a subscription asks for beside its event and target, and the engine's functions that hand it to an attempt. The
 * functions of before stay: processes of the version before go on with them until they are restarted.
 */
export class SubscriptionSettings1764001400000 implements MigrationInterface {
  name = 'SubscriptionSettings1764001400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMN, LEASE, ACCEPT, CLAIM]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_accept(text[], uuid[], text[], text[], text[], text[], text[], text[], text[], uuid[], integer[],
                                   integer[], integer, integer, integer, uuid, uuid, integer, integer);
      DROP FUNCTION webhook_claim(uuid[], text[], integer[], integer[], integer[], integer[], uuid, uuid, integer, integer);
      DROP FUNCTION webhook_lease_ms(jsonb, integer, integer);
      ALTER TABLE webhook_subscriptions DROP COLUMN settings`);
  }
}

/* Null: all defaults, which costs nothing on the hot path. */
const COLUMN = `
ALTER TABLE webhook_subscriptions ADD COLUMN settings jsonb;
GRANT UPDATE (settings) ON webhook_subscriptions TO webhooks_tenant`;

/* A lease outlives the time budget of its attempt by a margin; p_lease_ms is that of a subscription without a budget of its own. */
const LEASE = `
CREATE FUNCTION webhook_lease_ms(p_settings jsonb, p_lease_ms integer, p_margin_ms integer)
RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce((p_settings ->> 'timeout_seconds')::integer * 1000 + p_margin_ms, p_lease_ms)
$$`;

/* As in the migration of the engine's functions, where it is explained. */
const BY_KEY = `SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off`;

/* As before; each subscription's settings come along with its claims, and its time budget counts for their leases. */
export const ACCEPT = `
CREATE FUNCTION webhook_accept(
  p_tenants text[], p_event_ids uuid[], p_events text[], p_patterns text[], p_payloads text[], p_keys text[],
  p_fingerprints text[], p_subjects text[], p_request_ids text[],
  p_lanes uuid[], p_places integer[], p_left integer[], p_unknown_places integer, p_per_lane integer, p_most integer,
  p_token uuid, p_owner uuid, p_lease_ms integer, p_margin_ms integer
) RETURNS TABLE (
  n integer, outcome text, event_id uuid, fingerprint text, delivery_ids uuid[], subscription_ids uuid[], born boolean[],
  urls text[], secrets text[], previous_secrets text[], settings text[]
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
  v_tenants text[] := ARRAY(SELECT DISTINCT t FROM unnest(p_tenants) t);
  v_tenant text;
  v_of record;
  v_ns integer[] := '{}';
  v_subs uuid[] := '{}';
  v_urls text[] := '{}';
  v_secrets text[] := '{}';
  v_previous text[] := '{}';
  v_settings text[] := '{}';
  v_ids uuid[] := '{}';
  v_born boolean[] := '{}';
  v_locked uuid[];
  v_stored integer[] := '{}';
  v_part integer[];
BEGIN
  PERFORM set_config('role', 'webhooks_tenant', true);
  FOREACH v_tenant IN ARRAY v_tenants LOOP
    PERFORM set_config('app.current_tenant_id', v_tenant, true);
    SELECT array_agg(m.n) AS ns, array_agg(m.id) AS subs, array_agg(m.url) AS urls, array_agg(m.secret) AS secrets,
           array_agg(m.previous) AS previous, array_agg(m.settings) AS settings INTO v_of
      FROM (
        SELECT u.n, s.id, s.url, s.secret, s.settings::text AS settings,
               CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret END AS previous
          FROM (
            SELECT i.patterns, array_agg(i.n::int) AS ns
              FROM unnest(p_tenants, p_patterns) WITH ORDINALITY AS i (tenant, patterns, n)
             WHERE i.tenant = v_tenant GROUP BY i.patterns
          ) AS g
          JOIN webhook_subscriptions s
            ON s.tenant_id = v_tenant AND s.active AND s.event = ANY (string_to_array(g.patterns, ' '))
         CROSS JOIN LATERAL unnest(g.ns) AS u (n)
         ORDER BY u.n, s.id
      ) AS m;
    v_ns := v_ns || v_of.ns;
    v_subs := v_subs || v_of.subs;
    v_urls := v_urls || v_of.urls;
    v_secrets := v_secrets || v_of.secrets;
    v_previous := v_previous || v_of.previous;
    v_settings := v_settings || v_of.settings;
  END LOOP;

  IF p_owner IS NOT NULL AND p_most > 0 AND cardinality(v_subs) > 0 THEN
    PERFORM set_config('role', 'webhooks_worker', true);
    v_locked := ARRAY(
      SELECT l.id FROM (SELECT DISTINCT u.id FROM unnest(v_subs) AS u (id)) AS l
        LEFT JOIN unnest(p_lanes, p_places) AS k (id, places) ON k.id = l.id
       WHERE coalesce(k.places, p_unknown_places) > 0 AND pg_try_advisory_xact_lock(hashtextextended(l.id::text, 0)));
    IF cardinality(v_locked) > 0 THEN
      v_born := ARRAY(
        SELECT coalesce(m.nth <= r.room AND m.ord <= p_most, false)
          FROM (SELECT u.id, u.ord, row_number() OVER (PARTITION BY u.id ORDER BY u.ord) AS nth
                  FROM unnest(v_subs) WITH ORDINALITY AS u (id, ord)) AS m
          LEFT JOIN webhook_room(v_locked, p_lanes, p_places, p_left, p_unknown_places, p_per_lane, p_owner) AS r ON r.id = m.id
         ORDER BY m.ord);
    END IF;
  END IF;
  IF cardinality(v_born) = 0 THEN
    v_born := ARRAY(SELECT false FROM unnest(v_ns));
  END IF;
  v_ids := ARRAY(SELECT webhook_uuid_v7() FROM unnest(v_ns));

  PERFORM set_config('role', 'webhooks_tenant', true);
  FOREACH v_tenant IN ARRAY v_tenants LOOP
    PERFORM set_config('app.current_tenant_id', v_tenant, true);
    WITH stored AS (
      INSERT INTO webhook_events (tenant_id, id, event, payload, idempotency_key, fingerprint)
        SELECT v_tenant, i.id, i.event, i.payload::json, i.key, i.fingerprint
          FROM unnest(p_tenants, p_event_ids, p_events, p_payloads, p_keys, p_fingerprints) WITH ORDINALITY
            AS i (tenant, id, event, payload, key, fingerprint, n)
         WHERE i.tenant = v_tenant AND i.n::int = ANY (v_ns)
         ORDER BY i.n
        ON CONFLICT (tenant_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
      RETURNING id
    )
    SELECT array_agg(array_position(p_event_ids, s.id)) INTO v_part FROM stored s;
    v_stored := v_stored || v_part;
    IF v_part IS NOT NULL THEN
      INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url, status, attempts,
                                      auto_attempts, lease_token, leased_by, leased_until)
        SELECT v_tenant, m.id, p_event_ids[m.n], m.sub, p_events[m.n], m.url,
               CASE WHEN m.born THEN 'SENDING' ELSE 'PENDING' END, m.born::int, m.born::int,
               CASE WHEN m.born THEN p_token END, CASE WHEN m.born THEN p_owner END,
               CASE WHEN m.born THEN now() + webhook_lease_ms(m.settings::jsonb, p_lease_ms, p_margin_ms) * interval '1 millisecond' END
          FROM unnest(v_ns, v_subs, v_urls, v_ids, v_born, v_settings) AS m (n, sub, url, id, born, settings)
         WHERE m.n = ANY (v_part);
      INSERT INTO webhook_audit (tenant_id, actor_type, actor, action, resource_type, resource_id, details, request_id)
        SELECT v_tenant, 'token', p_subjects[i], 'delivery.requested', 'event', p_event_ids[i],
               json_build_object('event', p_events[i], 'deliveries',
                                 (SELECT count(*) FROM unnest(v_ns) AS m (n) WHERE m.n = i)), p_request_ids[i]
          FROM unnest(v_part) AS i;
    END IF;
  END LOOP;

  RETURN QUERY
    SELECT i, 'stored'::text, p_event_ids[i], p_fingerprints[i], array_agg(m.id ORDER BY m.id),
           array_agg(m.sub ORDER BY m.id), array_agg(m.born ORDER BY m.id),
           array_agg(CASE WHEN m.born THEN m.url END ORDER BY m.id),
           array_agg(CASE WHEN m.born THEN m.secret END ORDER BY m.id),
           array_agg(CASE WHEN m.born THEN m.previous END ORDER BY m.id),
           array_agg(CASE WHEN m.born THEN m.settings END ORDER BY m.id)
      FROM unnest(v_ns, v_subs, v_ids, v_born, v_urls, v_secrets, v_previous, v_settings)
           AS m (i, sub, id, born, url, secret, previous, settings)
     WHERE i = ANY (v_stored) GROUP BY i;

  -- What was not stored: its key is known, or nobody is subscribed.
  IF cardinality(v_stored) < cardinality(p_event_ids) THEN
    PERFORM set_config('role', 'webhooks_worker', true);
    RETURN QUERY
      SELECT i.n::int, CASE WHEN e.id IS NULL THEN 'unmatched' ELSE 'repeated' END, e.id, e.fingerprint,
             ARRAY(SELECT d.id FROM webhook_deliveries d
                    WHERE d.event_id = e.id AND d.tenant_id IS NOT DISTINCT FROM e.tenant_id
                      AND d.created_at = e.created_at ORDER BY d.id),
             '{}'::uuid[], '{}'::boolean[], '{}'::text[], '{}'::text[], '{}'::text[], '{}'::text[]
        FROM unnest(p_tenants, p_keys) WITH ORDINALITY AS i (tenant, key, n)
        LEFT JOIN webhook_events e ON e.idempotency_key = i.key AND e.tenant_id IS NOT DISTINCT FROM i.tenant
       WHERE i.n::int <> ALL (v_stored);
  END IF;
END
$$`;

/* The same. */
const CLAIM = `
CREATE FUNCTION webhook_claim(
  p_lanes uuid[], p_tenants text[], p_wanted integer[], p_retries integer[], p_left integer[], p_retries_left integer[],
  p_token uuid, p_owner uuid, p_lease_ms integer, p_margin_ms integer
) RETURNS TABLE (
  lane_id uuid, contended boolean, id uuid, tenant_id text, event_id uuid, event text, attempts integer,
  auto_attempts integer, trigger text, is_retry boolean, target_url text, secret text, previous_secret text,
  active boolean, payload text, settings text
) LANGUAGE plpgsql ${BY_KEY} AS $$
#variable_conflict use_column
DECLARE
  v_locked uuid[];
BEGIN
  PERFORM set_config('role', 'webhooks_worker', true), set_config('synchronous_commit', 'off', true);
  v_locked := ARRAY(SELECT l.id FROM unnest(p_lanes) AS l (id)
                     WHERE pg_try_advisory_xact_lock(hashtextextended(l.id::text, 0)));
  RETURN QUERY
    WITH room AS MATERIALIZED (
      SELECT lane.id, lane.wanted AS asked, least(lane.wanted, lane.remaining - busy.sending) AS wanted,
             least(lane.retries, lane.retries_remaining - busy.retrying) AS retries,
             of_lane.url, of_lane.secret, of_lane.active, of_lane.previous_secret, of_lane.settings
        FROM unnest(p_lanes, p_tenants, p_wanted, p_retries, p_left, p_retries_left)
             AS lane (id, tenant, wanted, retries, remaining, retries_remaining)
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS sending, (count(*) FILTER (WHERE s.is_retry))::int AS retrying
           FROM webhook_deliveries s
          WHERE s.subscription_id = lane.id AND s.status = 'SENDING' AND s.leased_by IS DISTINCT FROM p_owner
       ) AS busy
       CROSS JOIN LATERAL (
         SELECT s.url, s.secret, s.active, s.settings,
                CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret END AS previous_secret
           FROM webhook_subscriptions s WHERE s.tenant_id = lane.tenant AND s.id = lane.id LIMIT 1
       ) AS of_lane
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
      SELECT o.*, room.url, room.settings
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
                p.next_trigger AS trigger, d.is_retry
    )
    SELECT room.id, room.wanted < room.asked, c.id, c.tenant_id, c.event_id, c.event, c.attempts, c.auto_attempts,
           c.trigger, c.is_retry, room.url, room.secret, room.previous_secret, room.active, e.payload::text,
           room.settings::text
      FROM room
      LEFT JOIN claimed c ON c.subscription_id = room.id
      LEFT JOIN webhook_events e ON e.tenant_id = c.tenant_id AND e.id = c.event_id
     ORDER BY c.id;
END
$$`;
