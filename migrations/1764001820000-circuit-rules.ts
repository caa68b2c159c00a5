import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the end of an attempt does to the circuit of its endpoint: the rule of `domain/gates/circuit-after.ts`, held against it
 * case by case. It is called for lanes where something fails, or has lately.
 */
export class CircuitRules1764001820000 implements MigrationInterface {
  name = 'CircuitRules1764001820000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [RECENT, SUM, AFTER, GIVEN_UP]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_circuit_given_up(webhook_lanes, integer, text, timestamptz);
      DROP FUNCTION webhook_circuit_after(webhook_lanes, jsonb, integer, text, integer, text, float8, timestamptz);
      DROP FUNCTION webhook_recent_sum(integer[]);
      DROP FUNCTION webhook_recent_after(integer[], integer, integer)`);
  }
}

/* One list of counts after p_passed buckets have passed, with p_more in the newest. */
const RECENT = `
CREATE FUNCTION webhook_recent_after(p_counts integer[], p_passed integer, p_more integer)
RETURNS integer[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY[moved.counts[1] + p_more] || moved.counts[2:]
    FROM (SELECT array_fill(0, ARRAY[passed.n]) || p_counts[1:10 - passed.n] AS counts
            FROM (SELECT least(greatest(p_passed, 0), 10) AS n) AS passed) AS moved
$$`;

const SUM = `
CREATE FUNCTION webhook_recent_sum(p_counts integer[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT sum(c.n) FROM unnest(p_counts) AS c (n)
$$`;

/* p_outcome: good, failed, busy (429), nothing (the endpoint saw nothing of it). p_count: good ones in a row count together. */
const AFTER = `
CREATE FUNCTION webhook_circuit_after(
  p_lane webhook_lanes, p_settings jsonb, p_epoch integer, p_outcome text, p_count integer, p_error text,
  p_retry_after_ms float8, p_now timestamptz
) RETURNS webhook_lanes LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_lane webhook_lanes := p_lane;
  v_bucket integer := floor(extract(epoch FROM p_now) / 30);
  v_wait float8;
  v_all bigint;
  v_failed bigint;
BEGIN
  -- While it is open nothing begins, so whatever ends is from before: it counts for nothing, but an endpoint that answers well
  -- is worth a probe.
  IF p_epoch IS DISTINCT FROM p_lane.epoch OR p_lane.circuit_state = 'open' THEN
    IF p_outcome = 'good' AND p_lane.circuit_state <> 'closed' THEN
      v_lane.failing_since := NULL;
      IF p_lane.circuit_state = 'open' THEN v_lane.next_probe_at := least(p_lane.next_probe_at, p_now); END IF;
    END IF;
    RETURN v_lane;
  END IF;

  IF p_lane.circuit_state = 'half_open' THEN
    v_lane.epoch := p_lane.epoch + 1;
    v_lane.probe_id := NULL;
    IF p_outcome = 'good' THEN
      v_lane.circuit_state := 'closed';
      v_lane.circuit_cause := NULL;
      v_lane.circuit_opened_at := NULL;
      v_lane.next_probe_at := NULL;
      v_lane.probe_wait_ms := NULL;
      v_lane.next_probe_id := NULL;
      v_lane.failures := 0;
      v_lane.failing_since := NULL;
      v_lane.ramp := 1;
      v_lane.recent_bucket := NULL;
      v_lane.recent_attempts := NULL;
      v_lane.recent_failed := NULL;
      v_lane.counted_from := p_now;
      RETURN v_lane;
    END IF;
    v_lane.circuit_state := 'open';
    IF p_outcome = 'nothing' THEN
      v_lane.next_probe_at := p_now;
      RETURN v_lane;
    END IF;
    v_lane.probe_wait_ms := coalesce(p_lane.probe_wait_ms, 30000);
    IF p_outcome = 'busy' THEN
      v_wait := greatest(v_lane.probe_wait_ms, least(p_retry_after_ms, 3600000));
    ELSE
      v_lane.probe_wait_ms := least(v_lane.probe_wait_ms * 2, 3600000);
      v_wait := v_lane.probe_wait_ms;
    END IF;
    -- Somebody asked for another one while this was under way.
    v_lane.next_probe_at := p_now + CASE WHEN p_lane.next_probe_id IS NULL THEN v_wait ELSE 0 END * interval '1 millisecond';
    v_lane.failures := p_lane.failures + 1;
    v_lane.failing_since := coalesce(p_lane.failing_since, p_now);
    RETURN v_lane;
  END IF;

  IF p_outcome = 'nothing' THEN
    RETURN v_lane;
  END IF;
  IF p_outcome = 'good' THEN
    v_lane.failures := 0;
    v_lane.failing_since := NULL;
    v_lane.ramp := CASE WHEN p_lane.ramp * 2 ^ least(p_count, 64) < 64 THEN p_lane.ramp * 2 ^ least(p_count, 64) END;
    IF p_lane.recent_bucket IS NOT NULL THEN
      v_lane.recent_attempts := webhook_recent_after(p_lane.recent_attempts, v_bucket - p_lane.recent_bucket, p_count);
      v_lane.recent_failed := webhook_recent_after(p_lane.recent_failed, v_bucket - p_lane.recent_bucket, 0);
      v_lane.recent_bucket := v_bucket;
      IF webhook_recent_sum(v_lane.recent_failed) = 0 THEN
        v_lane.recent_bucket := NULL;
        v_lane.recent_attempts := NULL;
        v_lane.recent_failed := NULL;
      END IF;
    END IF;
    RETURN v_lane;
  END IF;

  v_lane.failures := p_lane.failures + 1;
  v_lane.failing_since := coalesce(p_lane.failing_since, p_now);
  v_lane.recent_attempts := webhook_recent_after(
    coalesce(p_lane.recent_attempts, array_fill(0, ARRAY[10])), v_bucket - coalesce(p_lane.recent_bucket, v_bucket), 1);
  v_lane.recent_failed := webhook_recent_after(
    coalesce(p_lane.recent_failed, array_fill(0, ARRAY[10])), v_bucket - coalesce(p_lane.recent_bucket, v_bucket), 1);
  v_lane.recent_bucket := v_bucket;
  v_all := webhook_recent_sum(v_lane.recent_attempts);
  v_failed := webhook_recent_sum(v_lane.recent_failed);
  IF v_lane.failures >= coalesce((p_settings #>> '{circuit,failures}')::integer, 10) THEN
    v_lane.circuit_cause := v_lane.failures || ' failed attempts in a row';
  ELSIF v_all >= coalesce((p_settings #>> '{circuit,min_attempts}')::integer, 20)
        AND 100 * v_failed >= coalesce((p_settings #>> '{circuit,percent}')::integer, 70) * v_all THEN
    v_lane.circuit_cause := v_failed || ' of ' || v_all || ' attempts failed within 5 minutes';
  ELSE
    RETURN v_lane;
  END IF;
  v_lane.circuit_cause := v_lane.circuit_cause || '; the last: ' || coalesce(p_error, '');
  v_lane.circuit_state := 'open';
  v_lane.circuit_opened_at := p_now;
  v_lane.next_probe_at := p_now + interval '30 seconds';
  v_lane.probe_wait_ms := 30000;
  v_lane.ramp := NULL;
  v_lane.recent_bucket := NULL;
  v_lane.recent_attempts := NULL;
  v_lane.recent_failed := NULL;
  v_lane.epoch := p_lane.epoch + 1;
  RETURN v_lane;
END
$$`;

/* A probe has failed after five days of nothing but failures, of which it was open for one at least. */
const GIVEN_UP = `
CREATE FUNCTION webhook_circuit_given_up(p_lane webhook_lanes, p_epoch integer, p_outcome text, p_now timestamptz)
RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((p_lane).circuit_state = 'half_open' AND p_epoch = (p_lane).epoch AND p_outcome = 'failed'
                  AND (p_lane).failing_since <= p_now - interval '120 hours'
                  AND (p_lane).circuit_opened_at <= p_now - interval '24 hours', false)
$$`;
