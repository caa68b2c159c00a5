import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Settling says of the lanes that it is asked about whether something is due in them, so that whoever frees a place goes on
 * with what another process found no place for. What waits for a deactivated subscription is ended in one place.
 */
export class SettleLanes1764001530000 implements MigrationInterface {
  name = 'SettleLanes1764001530000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [END_WAITING, SETTLE]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_settle(text[], uuid[], uuid[], uuid[], uuid[], integer[], text[], integer[], integer[], text[],
                                   text[], text[], text[], text[], text[], float8[], boolean[], text, text, uuid[]);
      DROP FUNCTION webhook_end_waiting(text, uuid, text)`);
  }
}

/* As in the migration of the engine's functions, where it is explained. */
const BY_KEY = `SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off`;

/* Ends what waits for a subscription, without an attempt; one that is under way goes on. In the role of whoever calls it. */
const END_WAITING = `
CREATE FUNCTION webhook_end_waiting(p_tenant text, p_subscription uuid, p_reason text)
RETURNS void LANGUAGE plpgsql ${BY_KEY} AS $$
BEGIN
  UPDATE webhook_deliveries d
     SET status = 'FAILED', last_error = p_reason, next_attempt_at = NULL, next_trigger = 'auto', updated_at = now()
   WHERE d.subscription_id = p_subscription AND d.tenant_id IS NOT DISTINCT FROM p_tenant AND d.status = 'PENDING';
END
$$`;

/* As before; p_asked: the lanes to look at. What is due is looked for after the results are written, by the clock of then. */
const SETTLE = `
CREATE FUNCTION webhook_settle(
  p_tenants text[], p_event_ids uuid[], p_subscriptions uuid[], p_deliveries uuid[], p_tokens uuid[], p_numbers integer[],
  p_triggers text[], p_durations integer[], p_codes integer[], p_classes text[], p_errors text[], p_bodies text[],
  p_headers text[], p_statuses text[], p_last_errors text[], p_delays float8[], p_gone boolean[],
  p_gone_reason text, p_deactivated text, p_asked uuid[]
) RETURNS TABLE (moved uuid[], due uuid[]) LANGUAGE plpgsql ${BY_KEY} AS $$
#variable_conflict use_column
DECLARE
  v_moved uuid[];
BEGIN
  PERFORM set_config('role', 'webhooks_worker', true), set_config('synchronous_commit', 'off', true);
  WITH result AS MATERIALIZED (
    SELECT r.*, r.status = 'PENDING' AND NOT (
             SELECT s.active FROM webhook_subscriptions s WHERE s.tenant_id = r.tenant_id AND s.id = r.subscription_id
           ) AS is_over
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
           next_trigger = 'auto',
           is_retry = r.status = 'PENDING' AND NOT r.is_over,
           lease_token = NULL, leased_by = NULL, leased_until = NULL, updated_at = now()
      FROM result r
     WHERE d.event_id = r.event_id AND d.subscription_id = r.subscription_id
       AND d.tenant_id IS NOT DISTINCT FROM r.tenant_id AND d.lease_token IS NOT DISTINCT FROM r.lease_token
    RETURNING d.id
  ), logged AS (
    INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, status_code,
                                  error_class, error, request_headers, response_body)
      SELECT r.tenant_id, r.delivery_id, r.number, r.trigger, now() - r.duration_ms * interval '1 millisecond',
             r.duration_ms, r.status_code, r.error_class, r.error, r.request_headers::json, r.response_body
        FROM result r
    ON CONFLICT (tenant_id, delivery_id, number) DO UPDATE
       SET started_at = excluded.started_at, duration_ms = excluded.duration_ms, status_code = excluded.status_code,
           error_class = excluded.error_class, error = excluded.error, request_headers = excluded.request_headers,
           response_body = excluded.response_body
  )
  SELECT array_agg(id) INTO v_moved FROM moved;

  IF true = ANY (p_gone) THEN
    WITH deactivated AS (
      UPDATE webhook_subscriptions s
         SET active = false, deactivated_at = now(), deactivation_reason = p_gone_reason, updated_at = now()
        FROM unnest(p_tenants, p_subscriptions, p_deliveries, p_gone) AS g (tenant_id, id, delivery_id, gone)
       WHERE g.gone AND g.delivery_id = ANY (v_moved) AND s.tenant_id = g.tenant_id AND s.id = g.id AND s.active
      RETURNING s.tenant_id, s.id
    ), ended AS MATERIALIZED (
      SELECT x.tenant_id, x.id, webhook_end_waiting(x.tenant_id, x.id, p_deactivated) FROM deactivated x
    )
    INSERT INTO webhook_audit (tenant_id, actor_type, actor, action, resource_type, resource_id, details)
      SELECT x.tenant_id, 'system', 'system', 'subscription.deactivated', 'subscription', x.id,
             json_build_object('reason', p_gone_reason)
        FROM ended x;
  END IF;

  RETURN QUERY SELECT coalesce(v_moved, '{}'), ARRAY(
    SELECT a.id FROM unnest(p_asked) AS a (id)
     WHERE least(
             (SELECT d.next_attempt_at FROM webhook_deliveries d
               WHERE d.subscription_id = a.id AND NOT d.is_retry AND d.status = 'PENDING' ORDER BY d.next_attempt_at LIMIT 1),
             (SELECT d.next_attempt_at FROM webhook_deliveries d
               WHERE d.subscription_id = a.id AND d.is_retry AND d.status = 'PENDING' ORDER BY d.next_attempt_at LIMIT 1)
           ) <= clock_timestamp());
END
$$`;
