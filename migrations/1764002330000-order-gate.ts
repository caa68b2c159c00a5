import type { MigrationInterface, QueryRunner } from 'typeorm';

import { NEWEST } from './1764002310000-settle-throttles.js';

/**
 * The order among the gates of a lane, and claims that keep it: of an endpoint that wants its events in order, the heads of its
 * keys alone are claimed. Processes of the version before claim by the same function.
 */
export class OrderGate1764002330000 implements MigrationInterface {
  name = 'OrderGate1764002330000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [GATE, FOLD, BIRTHS_AT]) await queryRunner.query(statement);
    await queryRunner.query(NEWEST.rewritten('webhook_claim', CLAIM_CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const back = CLAIM_CHANGES.map(([from, to]) => [to, from] as const);
    await queryRunner.query(NEWEST.rewritten('webhook_claim', back));
    await queryRunner.query(BIRTHS_BEFORE);
    await queryRunner.query(`
      DROP FUNCTION webhook_gates(webhook_lanes, jsonb, integer, timestamptz, interval, integer, timestamptz);
      DROP FUNCTION webhook_gate_order(integer, timestamptz, integer)`);
  }
}

/* p_heads: deliveries that are next in the order and due; null: the endpoint wants none. */
const GATE = `
CREATE FUNCTION webhook_gate_order(p_heads integer, p_until timestamptz, p_wanted integer)
RETURNS TABLE (granted integer, until timestamptz) LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_heads < p_wanted THEN p_heads ELSE p_wanted END, CASE WHEN p_heads < p_wanted THEN p_until END
$$`;

export const FOLD = `
CREATE FUNCTION webhook_gates(
  p_lane webhook_lanes, p_settings jsonb, p_wanted integer, p_now timestamptz, p_ahead interval,
  p_heads integer, p_heads_until timestamptz
) RETURNS TABLE (granted integer, reason text, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT rate.granted,
         CASE WHEN pause.granted < p_wanted THEN 'paused' WHEN circuit.granted < p_wanted THEN 'circuit_open'
              WHEN throttle.granted < p_wanted THEN 'throttled' WHEN orders.granted < p_wanted THEN 'order'
              WHEN rate.granted < p_wanted THEN 'rate_limited' END,
         coalesce(CASE WHEN circuit.granted < pause.granted THEN circuit.until END,
                  CASE WHEN throttle.granted < circuit.granted THEN throttle.until END,
                  CASE WHEN orders.granted < throttle.granted THEN orders.until END,
                  rate.until)
    FROM webhook_gate_pause(p_lane, p_wanted) AS pause
   CROSS JOIN LATERAL webhook_gate_circuit(p_lane, pause.granted, p_now) AS circuit
   CROSS JOIN LATERAL webhook_gate_throttle(p_lane, circuit.granted, p_now) AS throttle
   CROSS JOIN LATERAL webhook_gate_order(p_heads, p_heads_until, throttle.granted) AS orders
   CROSS JOIN LATERAL webhook_gate_rate(p_lane, p_settings, orders.granted, p_now, p_ahead) AS rate
$$`;

export const BIRTHS_AT = `
CREATE OR REPLACE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb, p_now timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT (p_lane).paused_at IS NULL AND (p_lane).circuit_state = 'closed' AND (p_lane).ramp IS NULL
     AND NOT webhook_throttled((p_lane).held_until, p_now) AND p_settings -> 'rate_limit' IS NULL
     AND p_settings -> 'ordering' IS NULL
$$`;

const BIRTHS_BEFORE = `
CREATE OR REPLACE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb, p_now timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT (p_lane).paused_at IS NULL AND (p_lane).circuit_state = 'closed' AND (p_lane).ramp IS NULL
     AND NOT webhook_throttled((p_lane).held_until, p_now) AND p_settings -> 'rate_limit' IS NULL
$$`;

/* What is different in a claim; each text is there once. A head that somebody has locked is left out, and so is all behind it. */
const CLAIM_CHANGES: readonly (readonly [string, string])[] = [
  [
    `l.next_probe_id, l.epoch,\n`,
    `l.next_probe_id, l.epoch,
             (ordered.of).event_ids AS heads, (ordered.of).resume,\n`,
  ],
  [
    `       CROSS JOIN LATERAL webhook_gates(l, s.settings, places.free, now(), v_ahead) AS gate\n`,
    `       CROSS JOIN LATERAL (
         SELECT CASE WHEN s.settings ->> 'ordering' = 'fifo' AND s.active THEN
                  webhook_heads(lane.id, l.order_from,
                                CASE WHEN l.circuit_state = 'closed' THEN places.free ELSE least(places.free, 1) * 100 END,
                                least(lane.retries, lane.retries_remaining - busy.retrying), now()) END AS of
         OFFSET 0
       ) AS ordered
       CROSS JOIN LATERAL webhook_gates(l, s.settings, places.free, now(), v_ahead, cardinality((ordered.of).event_ids),
                                        (ordered.of).until) AS gate\n`,
  ],
  [
    `LIMIT CASE WHEN room.probing THEN 0 ELSE greatest(0, room.wanted) END FOR`,
    `LIMIT CASE WHEN room.probing OR room.heads IS NOT NULL THEN 0 ELSE greatest(0, room.wanted) END FOR`,
  ],
  [
    `LIMIT CASE WHEN room.probing THEN 0 ELSE greatest(0, least(room.wanted, room.retries)) END FOR`,
    `LIMIT CASE WHEN room.probing OR room.heads IS NOT NULL THEN 0 ELSE greatest(0, least(room.wanted, room.retries)) END FOR`,
  ],
  [
    `    ), probes AS MATERIALIZED (\n`,
    `    ), heads AS MATERIALIZED (
      SELECT due.* FROM room CROSS JOIN LATERAL (
        SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_trigger, d.next_attempt_at
          FROM unnest(room.heads) WITH ORDINALITY AS h (event_id, n)
          JOIN webhook_deliveries d ON d.event_id = h.event_id AND d.subscription_id = room.id
           AND d.tenant_id IS NOT DISTINCT FROM room.tenant_id
         WHERE d.status = 'PENDING' AND d.next_attempt_at <= now()
         ORDER BY h.n LIMIT CASE WHEN room.probing THEN 0 ELSE greatest(0, room.wanted) END FOR UPDATE OF d SKIP LOCKED
      ) AS due
    ), probes AS MATERIALIZED (\n`,
  ],
  [`AND d.id = room.next_probe_id AND`, `AND d.id = room.next_probe_id AND room.heads IS NULL AND`],
  [`LIMIT 100)\n`, `LIMIT CASE WHEN room.heads IS NULL THEN 100 ELSE 0 END)\n`],
  [
    `LIMIT CASE WHEN room.retries > 0 THEN 100 ELSE 0 END)\n`,
    `LIMIT CASE WHEN room.retries > 0 AND room.heads IS NULL THEN 100 ELSE 0 END)
              UNION ALL
              (SELECT d.event_id, d.subscription_id, d.tenant_id, d.id, d.next_attempt_at, d.attempts - d.auto_attempts
                 FROM unnest(room.heads) AS h (event_id)
                 JOIN webhook_deliveries d ON d.event_id = h.event_id AND d.subscription_id = room.id
                  AND d.tenant_id IS NOT DISTINCT FROM room.tenant_id
                WHERE d.status = 'PENDING' AND d.next_attempt_at <= now())\n`,
  ],
  [`UNION ALL SELECT * FROM probes)`, `UNION ALL SELECT * FROM probes UNION ALL SELECT * FROM heads)`],
  [
    `             epoch = l.epoch + room.probing::int\n`,
    `             epoch = l.epoch + room.probing::int, order_from = coalesce(room.resume, l.order_from)\n`,
  ],
  [
    `WHERE (room.probing OR room.step IS NOT NULL) AND taken.slots > 0\n`,
    `WHERE ((room.probing OR room.step IS NOT NULL) AND taken.slots > 0 OR NOT room.probing AND room.resume IS NOT NULL)\n`,
  ],
];
