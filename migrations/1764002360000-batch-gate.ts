import type { MigrationInterface, QueryRunner } from 'typeorm';

import { NEWEST } from './1764002310000-settle-throttles.js';
import { BIRTHS_AT as BIRTHS_BEFORE, FOLD as FOLD_BEFORE } from './1764002330000-order-gate.js';

/**
 * Batches among the gates of a lane, claims of them, and settlements after which what went together goes alone. A place, a slot
 * of a rate and a request under way are of a batch, not of each delivery in it. Processes of the version before claim batches
 * as well, and send what is in them one by one.
 */
export class BatchGate1764002360000 implements MigrationInterface {
  name = 'BatchGate1764002360000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [DROP_FOLD, GATE, FOLD, BIRTHS_AT]) await queryRunner.query(statement);
    await queryRunner.query(NEWEST.rewritten('webhook_claim', CLAIM_CHANGES, true));
    await queryRunner.query(NEWEST.rewritten('webhook_settle', SETTLE_CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const back = CLAIM_CHANGES.map(([from, to]) => [to, from] as const);
    await queryRunner.query(NEWEST.dropped('webhook_settle'));
    await queryRunner.query(NEWEST.rewritten('webhook_claim', back, true));
    await queryRunner.query(`
      DROP FUNCTION webhook_gates(webhook_lanes, jsonb, integer, timestamptz, interval, integer, timestamptz, integer, timestamptz);
      DROP FUNCTION webhook_gate_batch(integer, timestamptz, integer)`);
    for (const statement of [FOLD_BEFORE, BIRTHS_BEFORE]) await queryRunner.query(statement);
  }
}

const DROP_FOLD =
  'DROP FUNCTION webhook_gates(webhook_lanes, jsonb, integer, timestamptz, interval, integer, timestamptz)';

/* p_posts: requests that are closed; null: the endpoint takes single events, or what is left waits for its order. */
const GATE = `
CREATE FUNCTION webhook_gate_batch(p_posts integer, p_until timestamptz, p_wanted integer)
RETURNS TABLE (granted integer, until timestamptz) LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_posts < p_wanted THEN p_posts ELSE p_wanted END, CASE WHEN p_posts < p_wanted THEN p_until END
$$`;

const FOLD = `
CREATE FUNCTION webhook_gates(
  p_lane webhook_lanes, p_settings jsonb, p_wanted integer, p_now timestamptz, p_ahead interval,
  p_heads integer, p_heads_until timestamptz, p_posts integer, p_posts_until timestamptz
) RETURNS TABLE (granted integer, reason text, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT rate.granted,
         CASE WHEN pause.granted < p_wanted THEN 'paused' WHEN circuit.granted < p_wanted THEN 'circuit_open'
              WHEN throttle.granted < p_wanted THEN 'throttled' WHEN orders.granted < p_wanted THEN 'order'
              WHEN batches.granted < p_wanted THEN 'batching' WHEN rate.granted < p_wanted THEN 'rate_limited' END,
         coalesce(CASE WHEN circuit.granted < pause.granted THEN circuit.until END,
                  CASE WHEN throttle.granted < circuit.granted THEN throttle.until END,
                  CASE WHEN orders.granted < throttle.granted THEN orders.until END,
                  CASE WHEN batches.granted < orders.granted THEN batches.until END,
                  rate.until)
    FROM webhook_gate_pause(p_lane, p_wanted) AS pause
   CROSS JOIN LATERAL webhook_gate_circuit(p_lane, pause.granted, p_now) AS circuit
   CROSS JOIN LATERAL webhook_gate_throttle(p_lane, circuit.granted, p_now) AS throttle
   CROSS JOIN LATERAL webhook_gate_order(p_heads, p_heads_until, throttle.granted) AS orders
   CROSS JOIN LATERAL webhook_gate_batch(p_posts, p_posts_until, orders.granted) AS batches
   CROSS JOIN LATERAL webhook_gate_rate(p_lane, p_settings, batches.granted, p_now, p_ahead) AS rate
$$`;

const BIRTHS_AT = `
CREATE OR REPLACE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb, p_now timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT (p_lane).paused_at IS NULL AND (p_lane).circuit_state = 'closed' AND (p_lane).ramp IS NULL
     AND NOT webhook_throttled((p_lane).held_until, p_now) AND p_settings -> 'rate_limit' IS NULL
     AND p_settings -> 'ordering' IS NULL AND p_settings -> 'batch' IS NULL
$$`;

/* A schedule without retries leaves nothing to go alone with: there are no batches then. A probe is always alone. */
const IS_BATCHED = `s.settings -> 'batch' IS NOT NULL AND l.circuit_state = 'closed' AND coalesce(s.settings -> 'retry_schedule' <> '[]', true)`;

/*
 * What is different in a claim; each text is there once. Where an order is kept, a batch of which somebody has locked a row is
 * left as a whole. place: the number of the request, which a rate counts.
 */
const CLAIM_CHANGES: readonly (readonly [string, string])[] = [
  [`epoch integer, probe boolean)\n`, `epoch integer, probe boolean, batch_id uuid)\n`],
  [
    `(ordered.of).event_ids AS heads, (ordered.of).resume,\n`,
    `(ordered.of).event_ids AS heads, (batched.of).event_ids AS batched, (batched.of).posts,
             s.settings ->> 'ordering' = 'fifo' AS is_ordered, coalesce((s.settings #>> '{batch,max_events}')::integer, 1) AS together,
             coalesce((ordered.of).resume, (batched.of).resume) AS resume,\n`,
  ],
  [
    `WHERE d.subscription_id = lane.id AND d.status = 'SENDING'\n`,
    `WHERE d.subscription_id = lane.id AND d.status = 'SENDING' AND (d.batch_id IS NULL OR d.batch_id = d.id)\n`,
  ],
  [
    `CASE WHEN s.settings ->> 'ordering' = 'fifo' AND s.active THEN\n`,
    `CASE WHEN s.settings ->> 'ordering' = 'fifo' AND s.active AND NOT (${IS_BATCHED}) THEN\n`,
  ],
  [
    `       ) AS ordered\n`,
    `       ) AS ordered
       CROSS JOIN LATERAL (
         SELECT CASE WHEN s.active AND ${IS_BATCHED} THEN
                  webhook_batches(l.tenant_id, lane.id, s.settings, l.order_from, places.free,
                                  least(lane.retries, lane.retries_remaining - busy.retrying), now()) END AS of
         OFFSET 0
       ) AS batched\n`,
  ],
  [
    `v_ahead, cardinality((ordered.of).event_ids),
                                        (ordered.of).until) AS gate\n`,
    `v_ahead,
                                        CASE WHEN NOT (batched.of).waits THEN (batched.of).count ELSE cardinality((ordered.of).event_ids) END,
                                        CASE WHEN NOT (batched.of).waits THEN (batched.of).until ELSE (ordered.of).until END,
                                        CASE WHEN (batched.of).waits THEN (batched.of).count END,
                                        CASE WHEN (batched.of).waits THEN (batched.of).until END) AS gate\n`,
  ],
  [
    `LIMIT CASE WHEN room.probing OR room.heads IS NOT NULL THEN 0 ELSE greatest(0, room.wanted) END FOR`,
    `LIMIT CASE WHEN room.probing OR room.heads IS NOT NULL OR room.batched IS NOT NULL THEN 0 ELSE greatest(0, room.wanted) END FOR`,
  ],
  [
    `LIMIT CASE WHEN room.probing OR room.heads IS NOT NULL THEN 0 ELSE greatest(0, least(room.wanted, room.retries)) END FOR`,
    `LIMIT CASE WHEN room.probing OR room.heads IS NOT NULL OR room.batched IS NOT NULL THEN 0 ELSE greatest(0, least(room.wanted, room.retries)) END FOR`,
  ],
  [
    `    ), probes AS MATERIALIZED (\n`,
    `    ), batches AS MATERIALIZED (
      SELECT due.* FROM room CROSS JOIN LATERAL (
        SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at, b.post, d.position
          FROM unnest(room.batched, room.posts) AS b (event_id, post)
          JOIN webhook_deliveries d ON d.event_id = b.event_id AND d.subscription_id = room.id
           AND d.tenant_id IS NOT DISTINCT FROM room.tenant_id
         WHERE b.post <= room.wanted AND d.status = 'PENDING' AND d.next_attempt_at <= now()
           FOR UPDATE OF d SKIP LOCKED
      ) AS due
    ), whole AS MATERIALIZED (
      SELECT b.*, CASE WHEN count(*) OVER w > 1 THEN first_value(b.id) OVER w END AS batch_id, count(*) OVER w AS members
        FROM batches b
      WINDOW w AS (PARTITION BY b.subscription_id, b.post ORDER BY b.position, b.id
                   ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ), probes AS MATERIALIZED (\n`,
  ],
  [`due.id) AS place\n`, `due.id) AS place, NULL::uuid AS batch_id\n`],
  [
    `SELECT * FROM heads) AS due\n`,
    `SELECT * FROM heads) AS due
       UNION ALL
      SELECT w.event_id, w.subscription_id, w.tenant_id, w.id, w.next_trigger, w.next_attempt_at, w.post::bigint, w.batch_id
        FROM whole w JOIN room r ON r.id = w.subscription_id
       WHERE r.is_ordered IS NOT TRUE OR w.members = (SELECT count(*) FROM unnest(r.posts) AS p (post) WHERE p.post = w.post)\n`,
  ],
  [
    `lease_token = p_token, leased_by = p_owner,\n`,
    `lease_token = p_token, leased_by = p_owner, batch_id = p.batch_id,\n`,
  ],
  [
    `p.next_trigger AS trigger, d.is_retry, p.slot\n`,
    `p.next_trigger AS trigger, d.is_retry, p.slot, p.batch_id, d.position\n`,
  ],
  [
    `SELECT count(*) AS slots, (array_agg(p.id))[1]`,
    `SELECT coalesce(max(p.place), 0) AS slots, (array_agg(p.id))[1]`,
  ],
  [
    `AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted + 1)`,
    `AND NOT d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted * room.together + 1)`,
  ],
  [
    `AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted + 1)`,
    `AND d.is_retry AND d.status = 'PENDING' AND d.next_attempt_at <= now()
                  LIMIT room.wanted * room.together + 1)`,
  ],
  // What may be written is known before anything is counted.
  [
    `WHERE ((room.probing OR room.step IS NOT NULL) AND taken.slots > 0 OR NOT room.probing AND room.resume IS NOT NULL)\n`,
    `WHERE (room.probing OR room.step IS NOT NULL OR room.resume IS NOT NULL)
         AND ((room.probing OR room.step IS NOT NULL) AND taken.slots > 0 OR NOT room.probing AND room.resume IS NOT NULL)\n`,
  ],
  [
    `room.epoch + room.probing::int, room.probing\n`,
    `room.epoch + room.probing::int, room.probing, c.batch_id\n`,
  ],
  [`     ORDER BY c.id;\n`, `     ORDER BY c.position, c.id;\n`],
];

/* p_apart: deliveries that go alone from now on. */
const SETTLE_CHANGES: readonly (readonly [string, string])[] = [
  [`)\n RETURNS TABLE(`, `, p_apart uuid[])\n RETURNS TABLE(`],
  [
    `           is_retry = r.status = 'PENDING' AND NOT r.is_over,\n`,
    `           is_retry = r.status = 'PENDING' AND NOT r.is_over,
           batch_id = CASE WHEN d.id = ANY (p_apart) THEN NULL ELSE d.batch_id END,\n`,
  ],
];
