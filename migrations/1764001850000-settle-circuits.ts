import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A settlement tells each endpoint's circuit how its attempts ended, under the lock of the lane's row, and says which circuits
 * turned. An endpoint that does well, of which nothing else is known, costs one lookup of its lane and no write. The function of
 * before stays: processes of the version before go on with it, and what they record counts for no circuit.
 */
export class SettleCircuits1764001850000 implements MigrationInterface {
  name = 'SettleCircuits1764001850000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [BEGUN, SETTLE]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_settle(text[], uuid[], uuid[], uuid[], uuid[], integer[], text[], integer[], integer[], text[],
                                   text[], text[], text[], text[], text[], float8[], boolean[], text, text, uuid[],
                                   integer[], uuid[], float8[], text);
      DROP FUNCTION webhook_recent_begun(webhook_lanes, timestamptz)`);
  }
}

/* As in the migration of the engine's functions, where it is explained. */
const BY_KEY = `SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off`;

/*
 * What goes well is counted from the first failure on, and what went well in the five minutes before it is looked up once: of
 * the last thousand deliveries, which is enough for any share that a circuit may open at.
 */
const BEGUN = `
CREATE FUNCTION webhook_recent_begun(p_lane webhook_lanes, p_now timestamptz)
RETURNS webhook_lanes LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_lane webhook_lanes := p_lane;
BEGIN
  v_lane.recent_bucket := floor(extract(epoch FROM p_now) / 30);
  v_lane.recent_failed := array_fill(0, ARRAY[10]);
  v_lane.recent_attempts := ARRAY(
    SELECT coalesce(good.count, 0)::integer
      FROM generate_series(0, 9) AS passed (n)
      LEFT JOIN (
        SELECT v_lane.recent_bucket - floor(extract(epoch FROM d.updated_at) / 30)::integer AS n, count(*) AS count
          FROM (
            SELECT status, updated_at FROM webhook_deliveries
             WHERE tenant_id = p_lane.tenant_id AND subscription_id = p_lane.subscription_id ORDER BY id DESC LIMIT 1000
          ) AS d
         WHERE d.status = 'DELIVERED' AND d.updated_at < p_now AND d.updated_at > coalesce(p_lane.counted_from, '-infinity')
         GROUP BY 1
      ) AS good USING (n)
     ORDER BY passed.n);
  RETURN v_lane;
END
$$`;

/*
 * As before, and: p_epochs, of the circuits when the attempts were claimed; p_probes, which of the deliveries were probes, and
 * p_probe_waits, the milliseconds that their answers asked for. Only what still had its lease counts.
 */
const SETTLE = `
CREATE FUNCTION webhook_settle(
  p_tenants text[], p_event_ids uuid[], p_subscriptions uuid[], p_deliveries uuid[], p_tokens uuid[], p_numbers integer[],
  p_triggers text[], p_durations integer[], p_codes integer[], p_classes text[], p_errors text[], p_bodies text[],
  p_headers text[], p_statuses text[], p_last_errors text[], p_delays float8[], p_gone boolean[],
  p_gone_reason text, p_deactivated text, p_asked uuid[],
  p_epochs integer[], p_probes uuid[], p_probe_waits float8[], p_failing_reason text
) RETURNS TABLE (moved uuid[], due uuid[], turned uuid[], turns text[]) LANGUAGE plpgsql ${BY_KEY} AS $$
#variable_conflict use_column
DECLARE
  v_moved uuid[];
  v_ailing uuid[];
  v_turned uuid[] := '{}';
  v_turns text[] := '{}';
  v_over uuid[] := '{}';
  v_over_tenants text[] := '{}';
  v_of record;
  v_settings jsonb;
  v_before webhook_lanes;
  v_lane webhook_lanes;
  v_n integer;
  v_count integer;
BEGIN
  PERFORM set_config('role', 'webhooks_worker', true), set_config('synchronous_commit', 'off', true);
  WITH result AS MATERIALIZED (
    SELECT r.*, r.status = 'PENDING' AND NOT (
             SELECT s.active FROM webhook_subscriptions s WHERE s.tenant_id = r.tenant_id AND s.id = r.subscription_id
           ) AS is_over, r.delivery_id = ANY (p_probes) AS is_probe
      FROM unnest(p_tenants, p_event_ids, p_subscriptions, p_deliveries, p_tokens, p_numbers, p_triggers, p_durations,
                  p_codes, p_classes, p_errors, p_bodies, p_headers, p_statuses, p_last_errors, p_delays)
           AS r (tenant_id, event_id, subscription_id, delivery_id, lease_token, number, trigger, duration_ms, status_code,
                 error_class, error, response_body, request_headers, status, last_error, delay_ms)
  ), moved AS (
    UPDATE webhook_deliveries d
       SET status = CASE WHEN r.is_over THEN 'FAILED' ELSE r.status END,
           last_error = CASE WHEN r.is_over THEN p_deactivated ELSE r.last_error END,
           next_attempt_at = CASE WHEN r.status = 'PENDING' AND NOT r.is_over
                                  THEN now() + r.delay_ms * interval '1 millisecond' END,
           -- A probe that failed is not charged to the schedule.
           auto_attempts = d.auto_attempts - (r.is_probe AND r.trigger = 'auto' AND r.status = 'PENDING'
                                              AND r.error_class IS DISTINCT FROM 'template_error')::int,
           next_trigger = 'auto',
           is_retry = r.status = 'PENDING' AND NOT r.is_over,
           lease_token = NULL, leased_by = NULL, leased_until = NULL, updated_at = now()
      FROM result r
     WHERE d.event_id = r.event_id AND d.subscription_id = r.subscription_id
       AND d.tenant_id IS NOT DISTINCT FROM r.tenant_id AND d.lease_token IS NOT DISTINCT FROM r.lease_token
    RETURNING d.id
  ), logged AS (
    INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, status_code,
                                  error_class, error, request_headers, response_body, probe)
      SELECT r.tenant_id, r.delivery_id, r.number, r.trigger, now() - r.duration_ms * interval '1 millisecond',
             r.duration_ms, r.status_code, r.error_class, r.error, r.request_headers::json, r.response_body, r.is_probe
        FROM result r
    ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE
       SET started_at = excluded.started_at, duration_ms = excluded.duration_ms, status_code = excluded.status_code,
           error_class = excluded.error_class, error = excluded.error, request_headers = excluded.request_headers,
           response_body = excluded.response_body, probe = excluded.probe
  )
  SELECT array_agg(id) INTO v_moved FROM moved;

  -- Lanes of which more is to be said than that all went well, as ever.
  SELECT array_agg(l.subscription_id) INTO v_ailing
    FROM (
      SELECT r.tenant_id, r.id, bool_and(r.status = 'DELIVERED') AS good
        FROM unnest(p_tenants, p_subscriptions, p_statuses) AS r (tenant_id, id, status) GROUP BY r.tenant_id, r.id
    ) AS g
    JOIN webhook_lanes l ON l.tenant_id = g.tenant_id AND l.subscription_id = g.id
   WHERE NOT g.good OR l.circuit_state <> 'closed' OR l.failures > 0 OR l.recent_bucket IS NOT NULL OR l.ramp IS NOT NULL;

  -- In one order, so that two settlements that lock the same lanes never wait for each other.
  IF v_ailing IS NOT NULL THEN
    FOR v_of IN
      SELECT r.tenant_id, r.id, array_agg(r.epoch ORDER BY r.n) AS epochs, array_agg(r.error ORDER BY r.n) AS errors,
             array_agg(CASE WHEN r.status = 'DELIVERED' THEN 'good' WHEN r.class = 'template_error' THEN 'nothing'
                            WHEN r.code = 429 THEN 'busy' ELSE 'failed' END ORDER BY r.n) AS outcomes,
             array_agg(coalesce(p_probe_waits[array_position(p_probes, r.delivery_id)], 0) ORDER BY r.n) AS waits
        FROM unnest(p_tenants, p_subscriptions, p_deliveries, p_epochs, p_statuses, p_classes, p_codes, p_errors)
             WITH ORDINALITY AS r (tenant_id, id, delivery_id, epoch, status, class, code, error, n)
       WHERE r.id = ANY (v_ailing) AND r.delivery_id = ANY (v_moved)
       GROUP BY r.tenant_id, r.id ORDER BY r.id
    LOOP
      SELECT l.* INTO v_before FROM webhook_lanes l WHERE l.tenant_id = v_of.tenant_id AND l.subscription_id = v_of.id FOR UPDATE;
      CONTINUE WHEN NOT FOUND;
      SELECT s.settings INTO v_settings FROM webhook_subscriptions s WHERE s.tenant_id = v_of.tenant_id AND s.id = v_of.id;
      v_lane := v_before;
      v_n := 1;
      WHILE v_n <= cardinality(v_of.outcomes) LOOP
        v_count := 1;
        IF v_of.outcomes[v_n] = 'good' THEN
          WHILE v_of.outcomes[v_n + v_count] = 'good' AND v_of.epochs[v_n + v_count] IS NOT DISTINCT FROM v_of.epochs[v_n] LOOP
            v_count := v_count + 1;
          END LOOP;
        ELSIF v_of.outcomes[v_n] <> 'nothing' AND v_lane.recent_bucket IS NULL AND v_lane.circuit_state = 'closed' AND v_of.epochs[v_n] = v_lane.epoch THEN
          v_lane := webhook_recent_begun(v_lane, now());
        END IF;
        IF webhook_circuit_given_up(v_lane, v_of.epochs[v_n], v_of.outcomes[v_n], now()) THEN
          v_over := v_over || v_of.id;
          v_over_tenants := v_over_tenants || v_of.tenant_id;
        END IF;
        v_lane := webhook_circuit_after(v_lane, v_settings, v_of.epochs[v_n], v_of.outcomes[v_n], v_count, v_of.errors[v_n],
                                        v_of.waits[v_n], now());
        v_n := v_n + v_count;
      END LOOP;
      CONTINUE WHEN v_lane IS NOT DISTINCT FROM v_before;
      UPDATE webhook_lanes l
         SET circuit_state = v_lane.circuit_state, circuit_cause = v_lane.circuit_cause, circuit_opened_at = v_lane.circuit_opened_at,
             next_probe_at = v_lane.next_probe_at, probe_wait_ms = v_lane.probe_wait_ms, probe_id = v_lane.probe_id,
             next_probe_id = v_lane.next_probe_id, failures = v_lane.failures, failing_since = v_lane.failing_since,
             ramp = v_lane.ramp, recent_bucket = v_lane.recent_bucket, recent_attempts = v_lane.recent_attempts,
             recent_failed = v_lane.recent_failed, counted_from = v_lane.counted_from, epoch = v_lane.epoch
       WHERE l.tenant_id = v_of.tenant_id AND l.subscription_id = v_of.id;
      IF v_lane.circuit_state <> v_before.circuit_state THEN
        v_turned := v_turned || v_of.id;
        v_turns := v_turns || CASE WHEN v_lane.circuit_state = 'closed' THEN 'closed'
                                   WHEN v_before.circuit_state = 'closed' THEN 'opened' ELSE 'reopened' END;
      END IF;
    END LOOP;
    v_turned := v_turned || v_over;
    v_turns := v_turns || array_fill('given_up'::text, ARRAY[cardinality(v_over)]);
  END IF;

  IF true = ANY (p_gone) OR cardinality(v_over) > 0 THEN
    WITH deactivated AS (
      UPDATE webhook_subscriptions s
         SET active = false, deactivated_at = now(), deactivation_reason = g.reason, updated_at = now()
        FROM (
          SELECT r.tenant_id, r.id, p_gone_reason AS reason
            FROM unnest(p_tenants, p_subscriptions, p_deliveries, p_gone) AS r (tenant_id, id, delivery_id, gone)
           WHERE r.gone AND r.delivery_id = ANY (v_moved)
          UNION ALL
          SELECT r.tenant_id, r.id, p_failing_reason FROM unnest(v_over_tenants, v_over) AS r (tenant_id, id)
        ) AS g
       WHERE s.tenant_id = g.tenant_id AND s.id = g.id AND s.active
      RETURNING s.tenant_id, s.id, s.deactivation_reason AS reason
    ), ended AS MATERIALIZED (
      SELECT x.tenant_id, x.id, x.reason, webhook_end_waiting(x.tenant_id, x.id, p_deactivated) FROM deactivated x
    )
    INSERT INTO webhook_audit (tenant_id, actor_type, actor, action, resource_type, resource_id, details)
      SELECT x.tenant_id, 'system', 'system', 'subscription.deactivated', 'subscription', x.id,
             json_build_object('reason', x.reason)
        FROM ended x;
  END IF;

  RETURN QUERY SELECT coalesce(v_moved, '{}'), ARRAY(
    SELECT a.id FROM unnest(p_asked) AS a (id)
     WHERE least(
             (SELECT d.next_attempt_at FROM webhook_deliveries d
               WHERE d.subscription_id = a.id AND NOT d.is_retry AND d.status = 'PENDING' ORDER BY d.next_attempt_at LIMIT 1),
             (SELECT d.next_attempt_at FROM webhook_deliveries d
               WHERE d.subscription_id = a.id AND d.is_retry AND d.status = 'PENDING' ORDER BY d.next_attempt_at LIMIT 1)
           ) <= clock_timestamp()), v_turned, v_turns;
END
$$`;
