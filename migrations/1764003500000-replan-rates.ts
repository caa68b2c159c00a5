import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A slot further ahead than openings ever reserve counts for nothing, as the other times of a lane do. It had been cut to the
 * furthest that they reserve, at each look anew: nothing went out before it, however much later that was. Whoever changes the
 * rate plans what waits by the new one.
 */
export class ReplanRates1764003500000 implements MigrationInterface {
  name = 'ReplanRates1764003500000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(SLOTS);
    await queryRunner.query('GRANT UPDATE (rate_next_at) ON webhook_lanes TO webhooks_tenant');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('REVOKE UPDATE (rate_next_at) ON webhook_lanes FROM webhooks_tenant');
    await queryRunner.query(SLOTS_BEFORE);
  }
}

/* GCRA without a burst: a slot every per_seconds / max, beginning with the first that is free. No row without a limit. */
const SLOTS = `
CREATE OR REPLACE FUNCTION webhook_rate_slots(p_lane webhook_lanes, p_settings jsonb, p_now timestamptz, p_ahead interval)
RETURNS TABLE (first timestamptz, step interval) LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN (p_lane).rate_next_at > p_now AND (p_lane).rate_next_at <= p_now + p_ahead + rate.step
              THEN (p_lane).rate_next_at ELSE p_now END, rate.step
    FROM (SELECT (p_settings #>> '{rate_limit,per_seconds}')::float8 / (p_settings #>> '{rate_limit,max}')::float8
                   * interval '1 second' AS step) AS rate
   WHERE rate.step IS NOT NULL
$$`;

const SLOTS_BEFORE = `
CREATE OR REPLACE FUNCTION webhook_rate_slots(p_lane webhook_lanes, p_settings jsonb, p_now timestamptz, p_ahead interval)
RETURNS TABLE (first timestamptz, step interval) LANGUAGE sql STABLE AS $$
  SELECT greatest(p_now, least(coalesce((p_lane).rate_next_at, p_now), p_now + p_ahead + rate.step)), rate.step
    FROM (SELECT (p_settings #>> '{rate_limit,per_seconds}')::float8 / (p_settings #>> '{rate_limit,max}')::float8
                   * interval '1 second' AS step) AS rate
   WHERE rate.step IS NOT NULL
$$`;
