import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the service has to tell of endpoints and deliveries, written with the transition that it is about, for those who
 * listen, and made an event of soon afterwards: whose filters let it through is known to processes alone.
 */
export class OperationalNotices1764002410000 implements MigrationInterface {
  name = 'OperationalNotices1764002410000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [TABLE, POLICIES, GRANTS, NOTE, NOTE_SETTLED]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_note_settled(text[], uuid[], boolean[], text[], uuid[], uuid[], text[], boolean[], text[], integer[],
                                         uuid[], uuid[], text[]);
      DROP FUNCTION webhook_note(text, uuid, text, json, integer);
      DROP TABLE webhook_notices`);
  }
}

/*
 * count: exhausted deliveries that were not told of yet. A notice of these is one row for an endpoint, which stays for a
 * minute after it was told, with a count of 0, so that the next is told after that minute with all that came in between.
 */
const TABLE = `
CREATE TABLE webhook_notices (
  tenant_id text NOT NULL,
  id uuid NOT NULL DEFAULT webhook_uuid_v7(),
  kind text NOT NULL,
  subscription_id uuid NOT NULL,
  details json NOT NULL,
  count integer NOT NULL DEFAULT 1,
  due_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_notices_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT webhook_notices_kind_ck CHECK (kind IN ('failing', 'recovered', 'disabled', 'exhausted'))
);
CREATE UNIQUE INDEX webhook_notices_exhausted_uq ON webhook_notices (subscription_id, tenant_id) WHERE kind = 'exhausted';
CREATE INDEX webhook_notices_due_ix ON webhook_notices (due_at)`;

const POLICIES = `
ALTER TABLE webhook_notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_notices FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_notices_tenant ON webhook_notices
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY webhook_notices_worker ON webhook_notices TO webhooks_worker
  USING (current_user = 'webhooks_worker') WITH CHECK (current_user = 'webhooks_worker')`;

/* A tenant's deactivation is noted in its own transaction, and events are made of notices in the tenant's role. */
const GRANTS = `
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_notices TO webhooks_tenant;
GRANT SELECT, INSERT, UPDATE ON webhook_notices TO webhooks_worker`;

/*
 * Notes something about an endpoint where somebody else listens to such events. Nothing is told of an endpoint that listens to
 * nothing but them: what becomes of an operational event must not make another one.
 */
const NOTE = `
CREATE FUNCTION webhook_note(p_tenant text, p_subscription uuid, p_kind text, p_details json, p_count integer)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_event text := CASE p_kind WHEN 'exhausted' THEN 'webhook.delivery.exhausted' ELSE 'webhook.endpoint.' || p_kind END;
BEGIN
  PERFORM FROM webhook_subscription_events w
    WHERE w.tenant_id = p_tenant AND w.subscription_id <> p_subscription
      AND w.event = ANY (ARRAY[v_event, regexp_replace(v_event, '[a-z]+$', '*'), 'webhook.*']);
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  PERFORM FROM webhook_subscriptions s CROSS JOIN LATERAL unnest(s.event || s.more_events) AS p (pattern)
    WHERE s.tenant_id = p_tenant AND s.id = p_subscription AND NOT starts_with(p.pattern, 'webhook.');
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  INSERT INTO webhook_notices AS n (tenant_id, kind, subscription_id, details, count)
    VALUES (p_tenant, p_kind, p_subscription, p_details, p_count)
  ON CONFLICT (subscription_id, tenant_id) WHERE kind = 'exhausted'
    DO UPDATE SET count = n.count + excluded.count, details = excluded.details,
                  created_at = CASE WHEN n.count = 0 THEN now() ELSE n.created_at END;
  RETURN 1;
END
$$`;

/*
 * What a settlement has to tell, called in its statement, after webhook_settle: p_moved, p_turned and p_turns are what that
 * answered. p_tenants, p_subscriptions, p_gone: of all results. p_failed_*: of the attempts that failed and were not of
 * operational events; p_failed_final: no other follows. What was deactivated by this very transaction carries its time.
 */
export const NOTE_SETTLED = `
CREATE FUNCTION webhook_note_settled(
  p_tenants text[], p_subscriptions uuid[], p_gone boolean[],
  p_failed_tenants text[], p_failed_subscriptions uuid[], p_failed_deliveries uuid[], p_failed_events text[],
  p_failed_final boolean[], p_failed_errors text[], p_failed_numbers integer[],
  p_moved uuid[], p_turned uuid[], p_turns text[]
) RETURNS integer LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off
  SET enable_mergejoin = off AS $$
DECLARE
  v_of record;
  v_noted integer := 0;
BEGIN
  -- In one order, as the lanes are locked: two settlements that note the same endpoints never wait for each other.
  FOR v_of IN
    SELECT f.tenant_id, f.id, 'exhausted' AS kind, count(*)::integer AS count,
           (array_agg(json_build_object('delivery_id', f.delivery_id, 'event', f.event, 'attempts', f.number, 'last_error', f.error)
                      ORDER BY f.n DESC))[1] AS details
      FROM unnest(p_failed_tenants, p_failed_subscriptions, p_failed_deliveries, p_failed_events, p_failed_final, p_failed_errors,
                  p_failed_numbers) WITH ORDINALITY AS f (tenant_id, id, delivery_id, event, final, error, number, n)
     WHERE f.final AND f.delivery_id = ANY (p_moved)
     GROUP BY f.tenant_id, f.id
    UNION ALL
    SELECT l.tenant_id, l.subscription_id, CASE t.turn WHEN 'opened' THEN 'failing' ELSE 'recovered' END, 1,
           CASE t.turn WHEN 'opened' THEN json_build_object('reason', l.circuit_cause, 'next_probe_at', l.next_probe_at)
                       ELSE json_build_object('reason', 'A probe arrived') END
      FROM (SELECT DISTINCT r.tenant_id, t.id, t.turn
              FROM unnest(p_turned, p_turns) AS t (id, turn) JOIN unnest(p_tenants, p_subscriptions) AS r (tenant_id, id) ON r.id = t.id
             WHERE t.turn = 'closed'
                OR t.turn = 'opened' AND EXISTS (
                     SELECT FROM unnest(p_failed_subscriptions, p_failed_deliveries) AS f (id, delivery_id)
                      WHERE f.id = t.id AND f.delivery_id = ANY (p_moved))) AS t
      JOIN webhook_lanes l ON l.tenant_id = t.tenant_id AND l.subscription_id = t.id
    UNION ALL
    SELECT s.tenant_id, s.id, 'disabled', 1, json_build_object('reason', s.deactivation_reason)
      FROM (SELECT DISTINCT r.tenant_id, r.id FROM unnest(p_tenants, p_subscriptions, p_gone) AS r (tenant_id, id, gone)
             WHERE r.gone OR r.id IN (SELECT t.id FROM unnest(p_turned, p_turns) AS t (id, turn) WHERE t.turn = 'given_up')) AS r
      JOIN webhook_subscriptions s ON s.tenant_id = r.tenant_id AND s.id = r.id
     WHERE NOT s.active AND s.deactivated_at = now()
    ORDER BY 2, 3
  LOOP
    v_noted := v_noted + webhook_note(v_of.tenant_id, v_of.id, v_of.kind, v_of.details, v_of.count);
  END LOOP;
  RETURN v_noted;
END
$$`;
