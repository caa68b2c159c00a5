import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What may keep a lane back, one function for each gate and one that folds them: from what a lane is and how many deliveries
 * are wanted to how many it lets through, and until when it keeps the others. The rules are those of `domain/gates`, and a test
 * holds the two against each other, case by case. They are SQL so that a claim stays one round trip; each is a plain SELECT,
 * which PostgreSQL puts into the statement that calls it.
 */
export class LaneGates1764001510000 implements MigrationInterface {
  name = 'LaneGates1764001510000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [PAUSE, RATE_SLOTS, RATE, FOLD, BIRTHS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_takes_births(webhook_lanes, jsonb);
      DROP FUNCTION webhook_gates(webhook_lanes, jsonb, integer, timestamptz, interval);
      DROP FUNCTION webhook_gate_rate(webhook_lanes, jsonb, integer, timestamptz, interval);
      DROP FUNCTION webhook_rate_slots(webhook_lanes, jsonb, timestamptz, interval);
      DROP FUNCTION webhook_gate_pause(webhook_lanes, integer)`);
  }
}

const PAUSE = `
CREATE FUNCTION webhook_gate_pause(p_lane webhook_lanes, p_wanted integer)
RETURNS TABLE (granted integer, until timestamptz) LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN (p_lane).paused_at IS NULL THEN p_wanted ELSE 0 END, NULL::timestamptz
$$`;

/*
 * GCRA without a burst: a slot every per_seconds / max, beginning with the first that is free. No row without a limit. What lies
 * further ahead than openings reserve (a limit that was changed, a clock set back) is cut to that.
 */
const RATE_SLOTS = `
CREATE FUNCTION webhook_rate_slots(p_lane webhook_lanes, p_settings jsonb, p_now timestamptz, p_ahead interval)
RETURNS TABLE (first timestamptz, step interval) LANGUAGE sql STABLE AS $$
  SELECT greatest(p_now, least(coalesce((p_lane).rate_next_at, p_now), p_now + p_ahead + rate.step)), rate.step
    FROM (SELECT (p_settings #>> '{rate_limit,per_seconds}')::float8 / (p_settings #>> '{rate_limit,max}')::float8
                   * interval '1 second' AS step) AS rate
   WHERE rate.step IS NOT NULL
$$`;

const RATE = `
CREATE FUNCTION webhook_gate_rate(
  p_lane webhook_lanes, p_settings jsonb, p_wanted integer, p_now timestamptz, p_ahead interval
) RETURNS TABLE (granted integer, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT coalesce(of_slots.granted, p_wanted),
         CASE WHEN of_slots.granted < p_wanted THEN of_slots.first + of_slots.granted * of_slots.step - p_ahead / 2 END
    FROM (VALUES (1)) AS always
    LEFT JOIN LATERAL (
      SELECT s.first, s.step, least(p_wanted, CASE WHEN s.first > p_now + p_ahead THEN 0
               ELSE floor(extract(epoch FROM p_now + p_ahead - s.first) / extract(epoch FROM s.step))::integer + 1 END) AS granted
        FROM webhook_rate_slots(p_lane, p_settings, p_now, p_ahead) AS s
    ) AS of_slots ON true
$$`;

/* The first gate that lets less through than is wanted gives the reason. What counts what it grants comes last. */
export const FOLD = `
CREATE FUNCTION webhook_gates(
  p_lane webhook_lanes, p_settings jsonb, p_wanted integer, p_now timestamptz, p_ahead interval
) RETURNS TABLE (granted integer, reason text, until timestamptz) LANGUAGE sql STABLE AS $$
  SELECT rate.granted,
         CASE WHEN pause.granted < p_wanted THEN 'paused' WHEN rate.granted < p_wanted THEN 'rate_limited' END,
         CASE WHEN pause.granted < p_wanted THEN pause.until ELSE rate.until END
    FROM webhook_gate_pause(p_lane, p_wanted) AS pause
   CROSS JOIN LATERAL webhook_gate_rate(p_lane, p_settings, pause.granted, p_now, p_ahead) AS rate
$$`;

/* Whether new deliveries may be claimed where they are stored: not where a gate has a say, which a claim asks. */
export const BIRTHS = `
CREATE FUNCTION webhook_takes_births(p_lane webhook_lanes, p_settings jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (p_lane).paused_at IS NULL AND p_settings -> 'rate_limit' IS NULL
$$`;
