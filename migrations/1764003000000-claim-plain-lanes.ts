import type { MigrationInterface, QueryRunner } from 'typeorm';

import { NEWEST } from './1764002310000-settle-throttles.js';

/**
 * Lanes that nothing bounds but their places, which is what most of them are, are claimed from by a statement of what that takes:
 * no probe, order, batch or rate is asked after, which is most of what a claim of a few costs. The others are opened as before.
 */
export class ClaimPlainLanes1764003000000 implements MigrationInterface {
  name = 'ClaimPlainLanes1764003000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(IS_PLAIN);
    await queryRunner.query(NEWEST.rewritten('webhook_claim', CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      NEWEST.rewritten(
        'webhook_claim',
        CHANGES.map(([from, to]) => [to, from] as const),
      ),
    );
    await queryRunner.query('DROP FUNCTION webhook_is_plain(webhook_lanes, boolean, jsonb)');
  }
}

/* Nothing that a gate of domain/gates asks after; the places are counted in the claim itself. */
const IS_PLAIN = `
CREATE FUNCTION webhook_is_plain(p_lane webhook_lanes, p_active boolean, p_settings jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT p_active AND (p_lane).circuit_state = 'closed' AND (p_lane).paused_at IS NULL AND (p_lane).held_until IS NULL
     AND (p_lane).ramp IS NULL AND (p_settings IS NULL OR NOT p_settings ?| ARRAY['ordering', 'batch', 'rate_limit'])
$$`;

const PLAIN = `  -- Where nothing but places bounds a lane, a statement of what that takes, and no more. One that is not plain any more by now
  -- is as good as busy.
  IF v_plain IS NOT NULL THEN
    RETURN QUERY
      WITH room AS MATERIALIZED (
        SELECT lane.id, l.tenant_id, places.free < lane.wanted AS short, places.free AS wanted, retry.at AS retry_at,
               CASE WHEN retry.at <= now() THEN least(places.free, lane.retries, lane.retries_remaining - busy.retrying) ELSE 0 END AS retries,
               s.url, s.secret, s.settings, l.epoch,
               CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret END AS previous_secret
          FROM unnest(p_lanes, p_tenants, p_wanted, p_retries, p_left, p_retries_left)
               AS lane (id, tenant, wanted, retries, remaining, retries_remaining)
          JOIN webhook_lanes l ON l.tenant_id = lane.tenant AND l.subscription_id = lane.id
          JOIN webhook_subscriptions s ON s.tenant_id = lane.tenant AND s.id = lane.id
         CROSS JOIN LATERAL (
           SELECT (count(*) FILTER (WHERE d.leased_by IS DISTINCT FROM p_owner))::int AS sending,
                  (count(*) FILTER (WHERE d.is_retry AND d.leased_by IS DISTINCT FROM p_owner))::int AS retrying
             FROM webhook_deliveries d
            WHERE d.subscription_id = lane.id AND d.status = 'SENDING' AND (d.batch_id IS NULL OR d.batch_id = d.id)
         ) AS busy
         CROSS JOIN LATERAL (SELECT greatest(0, least(lane.wanted, lane.remaining - busy.sending)) AS free) AS places
         CROSS JOIN LATERAL (
           SELECT (SELECT d.next_attempt_at FROM webhook_deliveries d
                    WHERE d.subscription_id = lane.id AND d.is_retry AND d.status = 'PENDING' ORDER BY d.next_attempt_at LIMIT 1) AS at
           OFFSET 0
         ) AS retry
         WHERE lane.id = ANY (v_plain) AND webhook_is_plain(l, s.active, s.settings)
      ), due AS MATERIALIZED (
        SELECT d.*, room.wanted, room.url, room.settings FROM room CROSS JOIN LATERAL (
          SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
            FROM webhook_deliveries d
           WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
           ORDER BY d.next_attempt_at, d.id LIMIT room.wanted FOR UPDATE SKIP LOCKED
        ) AS d
        UNION ALL
        SELECT d.*, room.wanted, room.url, room.settings FROM room CROSS JOIN LATERAL (
          SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
            FROM webhook_deliveries d
           WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
           ORDER BY d.next_attempt_at, d.id LIMIT greatest(0, room.retries) FOR UPDATE SKIP LOCKED
        ) AS d WHERE room.retries > 0
      ), picked AS MATERIALIZED (
        SELECT o.*
          FROM (SELECT due.*, row_number() OVER (PARTITION BY due.subscription_id ORDER BY due.next_attempt_at, due.id) AS place FROM due) AS o
         WHERE o.place <= o.wanted
      ), claimed AS (
        UPDATE webhook_deliveries d
           SET status = 'SENDING', attempts = d.attempts + 1,
               auto_attempts = d.auto_attempts + (p.next_trigger = 'auto')::int,
               lease_token = p_token, leased_by = p_owner, batch_id = NULL,
               leased_until = now() + webhook_lease_ms(p.settings, p_lease_ms, p_margin_ms) * interval '1 millisecond',
               target_url = p.url, updated_at = now()
          FROM picked p
         WHERE d.event_id = p.event_id AND d.subscription_id = p.subscription_id
           AND d.tenant_id IS NOT DISTINCT FROM p.tenant_id
        RETURNING d.id, d.tenant_id, d.subscription_id, d.event_id, d.event, d.attempts, d.auto_attempts,
                  p.next_trigger AS trigger, d.is_retry
      ), rest AS MATERIALIZED (
        SELECT counted.*,
               CASE WHEN counted.first_due <= counted.wanted THEN
                 (SELECT extract(epoch FROM d.next_attempt_at - now())::float8 * 1000 FROM webhook_deliveries d
                   WHERE d.subscription_id = counted.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at > now()
                   ORDER BY d.next_attempt_at LIMIT 1) END AS first_next_ms,
               CASE WHEN counted.retry_at > now() THEN extract(epoch FROM counted.retry_at - now())::float8 * 1000
                    WHEN counted.retry_at <= now() THEN
                 (SELECT extract(epoch FROM d.next_attempt_at - now())::float8 * 1000 FROM webhook_deliveries d
                   WHERE d.subscription_id = counted.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at > now()
                   ORDER BY d.next_attempt_at LIMIT 1) END AS retry_next_ms
          FROM (
            SELECT room.*,
                   (SELECT count(*)::int FROM (
                      SELECT FROM webhook_deliveries d
                       WHERE d.subscription_id = room.id AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                       LIMIT room.wanted + 1) AS due) AS first_due,
                   CASE WHEN room.retry_at <= now() THEN (SELECT count(*)::int FROM (
                      SELECT FROM webhook_deliveries d
                       WHERE d.subscription_id = room.id AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                       LIMIT room.wanted + 1) AS due) ELSE 0 END AS retry_due
              FROM room OFFSET 0
          ) AS counted
      )
      SELECT rest.id, rest.short, NULL::text, NULL::float8,
             rest.first_due, rest.retry_due, rest.first_next_ms, rest.retry_next_ms,
             0::float8, c.id, c.tenant_id, c.event_id, c.event, c.attempts, c.auto_attempts,
             c.trigger, c.is_retry, rest.url, rest.secret, rest.previous_secret, true, e.payload::text,
             rest.settings::text, rest.epoch, false, NULL::uuid
        FROM rest
        LEFT JOIN claimed c ON c.subscription_id = rest.id
        LEFT JOIN webhook_events e ON e.tenant_id = c.tenant_id AND e.id = c.event_id
       ORDER BY c.id;
    IF cardinality(v_plain) = cardinality(v_locked) THEN RETURN; END IF;
    v_locked := ARRAY(SELECT a.id FROM unnest(v_locked) AS a (id) WHERE a.id <> ALL (v_plain));
  END IF;
`;

const CHANGES: readonly (readonly [string, string])[] = [
  [
    `  v_locked uuid[];
`,
    `  v_locked uuid[];
  v_plain uuid[];
`,
  ],
  [
    `  SELECT coalesce(array_agg(locked.id), '{}') INTO v_locked FROM (
    SELECT l.subscription_id AS id FROM unnest(p_lanes, p_tenants) AS a (id, tenant)
      JOIN webhook_lanes l ON l.tenant_id = a.tenant AND l.subscription_id = a.id
       FOR UPDATE OF l SKIP LOCKED
  ) AS locked;`,
    `  SELECT coalesce(array_agg(locked.id), '{}'), array_agg(locked.id) FILTER (WHERE locked.is_plain) INTO v_locked, v_plain FROM (
    SELECT l.subscription_id AS id, webhook_is_plain(l, s.active, s.settings) AS is_plain
      FROM unnest(p_lanes, p_tenants) AS a (id, tenant)
      JOIN webhook_lanes l ON l.tenant_id = a.tenant AND l.subscription_id = a.id
      LEFT JOIN webhook_subscriptions s ON s.tenant_id = a.tenant AND s.id = a.id
       FOR UPDATE OF l SKIP LOCKED
  ) AS locked;`,
  ],
  [
    `    ON CONFLICT DO NOTHING;
  END IF;
  RETURN QUERY
    WITH room AS`,
    `    ON CONFLICT DO NOTHING;
  END IF;
${PLAIN}  RETURN QUERY
    WITH room AS`,
  ],
];
