import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * What an endpoint asked for with 429 or 503 and Retry-After, among the gates of its lane: after the circuit, before what counts
 * what it grants. The rules are those of `domain/gates/throttle-gate.ts`.
 */
export class ThrottleGate1764002300000 implements MigrationInterface {
  name = "ThrottleGate1764002300000";

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [
      THROTTLED,
      AFTER,
      GATE,
      FOLD,
      BIRTHS_AT,
      BIRTHS,
      KEPT,
      GRANT,
    ]) {
      await queryRunner.query(statement);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE UPDATE (held_until) ON webhook_lanes FROM webhooks_tenant;
      DROP INDEX webhook_lanes_kept_ix;
      CREATE INDEX webhook_lanes_kept_ix ON webhook_lanes (tenant_id, subscription_id)
        WHERE paused_at IS NOT NULL OR circuit_state <> 'closed'`);
    for (const statement of [BIRTHS_BEFORE, FOLD_BEFORE])
      await queryRunner.query(statement);
    await queryRunner.query(`
      DROP FUNCTION webhook_takes_births(webhook_lanes, jsonb, timestamptz);
      DROP FUNCTION webhook_gate_throttle(webhook_lanes, integer, timestamptz);
      DROP FUNCTION webhook_throttle_after(timestamptz, float8, timestamptz);
      DROP FUNCTION webhook_throttled(timestamptz, timestamptz)`);
  }
}

/* One that lies further ahead than any is ever set was set before a clock went back. */
const THROTTLED = `
CREATE FUNCTION webhook_throttled(p_held_until timestamptz, p_now timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(p_held_until > p_now AND p_held_until < p_now + interval '61 minutes', false)
$$`;

const AFTER = `
CREATE FUNCTION webhook_throttle_after(p_held_until timestamptz, p_wait_ms float8, p_now timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT greatest(CASE WHEN webhook_throttled(p_held_until, p_now) THEN p_held_until END,
                  CASE WHEN p_wait_ms > 0 THEN p_now + least(p_wait_ms, 3600000) * interval '1 millisecond' END)
$$`;

const GATE = `
CREATE FUNCTION webhook_gate_throttle(p_lane webhook_lanes, p_wanted integer, p_now timestamptz)
RETURNS TABLE (granted integer, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN webhook_throttled((p_lane).held_until, p_now) THEN 0 ELSE p_wanted END,
         CASE WHEN webhook_throttled((p_lane).held_until, p_now) THEN (p_lane).held_until END
$$`;

/* The first gate that lets less through than it was given gives the reason, the first of them that knows it the time. */
const FOLD = `
CREATE OR REPLACE FUNCTION webhook_gates(
  p_lane webhook_lanes, p_settings jsonb, p_wanted integer, p_now timestamptz, p_ahead interval
) RETURNS TABLE (granted integer, reason text, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT rate.granted,
         CASE WHEN pause.granted < p_wanted THEN 'paused' WHEN circuit.granted < p_wanted THEN 'circuit_open'
              WHEN throttle.granted < p_wanted THEN 'throttled' WHEN rate.granted < p_wanted THEN 'rate_limited' END,
         coalesce(CASE WHEN circuit.granted < pause.granted THEN circuit.until END,
                  CASE WHEN throttle.granted < circuit.granted THEN throttle.until END,
                  rate.until)
    FROM webhook_gate_pause(p_lane, p_wanted) AS pause
   CROSS JOIN LATERAL webhook_gate_circuit(p_lane, pause.granted, p_now) AS circuit
   CROSS JOIN LATERAL webhook_gate_throttle(p_lane, circuit.granted, p_now) AS throttle
   CROSS JOIN LATERAL webhook_gate_rate(p_lane, p_settings, throttle.granted, p_now, p_ahead) AS rate
$$`;

const BIRTHS_AT = `
CREATE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb, p_now timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT (p_lane).paused_at IS NULL AND (p_lane).circuit_state = 'closed' AND (p_lane).ramp IS NULL
     AND NOT webhook_throttled((p_lane).held_until, p_now) AND p_settings -> 'rate_limit' IS NULL
$$`;

const BIRTHS = `
CREATE OR REPLACE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT webhook_takes_births(p_lane, p_settings, now())
$$`;

const KEPT = `
DROP INDEX webhook_lanes_kept_ix;
CREATE INDEX webhook_lanes_kept_ix ON webhook_lanes (tenant_id, subscription_id)
  WHERE paused_at IS NOT NULL OR circuit_state <> 'closed' OR held_until IS NOT NULL`;

/* Whoever resets a circuit need not wait for what the endpoint asked for before. */
const GRANT = "GRANT UPDATE (held_until) ON webhook_lanes TO webhooks_tenant";

const FOLD_BEFORE = `
CREATE OR REPLACE FUNCTION webhook_gates(
  p_lane webhook_lanes, p_settings jsonb, p_wanted integer, p_now timestamptz, p_ahead interval
) RETURNS TABLE (granted integer, reason text, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT rate.granted,
         CASE WHEN pause.granted < p_wanted THEN 'paused' WHEN circuit.granted < p_wanted THEN 'circuit_open'
              WHEN rate.granted < p_wanted THEN 'rate_limited' END,
         CASE WHEN pause.granted < p_wanted THEN pause.until WHEN circuit.granted < p_wanted
              THEN coalesce(circuit.until, rate.until) ELSE rate.until END
    FROM webhook_gate_pause(p_lane, p_wanted) AS pause
   CROSS JOIN LATERAL webhook_gate_circuit(p_lane, pause.granted, p_now) AS circuit
   CROSS JOIN LATERAL webhook_gate_rate(p_lane, p_settings, circuit.granted, p_now, p_ahead) AS rate
$$`;

const BIRTHS_BEFORE = `
CREATE OR REPLACE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (p_lane).paused_at IS NULL AND (p_lane).circuit_state = 'closed' AND (p_lane).ramp IS NULL
     AND p_settings -> 'rate_limit' IS NULL
$$`;
