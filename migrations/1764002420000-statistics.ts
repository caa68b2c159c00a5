import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Statistics of attempts, exact and cheap: each settlement adds one row for each of its tenants, which nobody else writes, and
 * a background pass folds these into rollups by minute and by hour. A question adds up the rollups and what is not folded yet.
 */
export class Statistics1764002420000 implements MigrationInterface {
  name = 'Statistics1764002420000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [
      TABLES,
      policiesOf('webhook_stats'),
      policiesOf('webhook_stats_new'),
      GRANTS,
      STEP,
      MEASURE,
      FOLD,
    ]) {
      await queryRunner.query(statement);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION webhook_fold_stats(integer);
      DROP FUNCTION webhook_measure(text[], uuid[], uuid[], integer[], text[], text[], integer[], uuid[]);
      DROP FUNCTION webhook_duration_step(integer);
      DROP TABLE webhook_stats, webhook_stats_new`);
  }
}

/*
 * webhook_stats_new: one row for each settlement and tenant, its arrays have one element for each attempt. webhook_stats: how
 * many attempts of an outcome there were, and how long they took: durations are the keys (see webhook_duration_step), counts
 * how many attempts each had. width: minutes that a row is of, 1 or 60. subscription_id: nil for all of the tenant's together.
 */
const TABLES = `
CREATE TABLE webhook_stats_new (
  tenant_id text NOT NULL,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  at timestamptz NOT NULL DEFAULT now(),
  subscriptions uuid[] NOT NULL,
  outcomes text[] NOT NULL,
  classes text[] NOT NULL,
  durations integer[] NOT NULL,
  CONSTRAINT webhook_stats_new_pk PRIMARY KEY (tenant_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000);
CREATE TABLE webhook_stats (
  tenant_id text NOT NULL,
  width smallint NOT NULL,
  start timestamptz NOT NULL,
  subscription_id uuid NOT NULL,
  outcome text NOT NULL,
  error_class text NOT NULL DEFAULT '',
  durations integer[] NOT NULL,
  counts integer[] NOT NULL,
  CONSTRAINT webhook_stats_pk PRIMARY KEY (tenant_id, width, subscription_id, start, outcome, error_class),
  CONSTRAINT webhook_stats_outcome_ck CHECK (outcome IN ('first', 'delivered', 'retried', 'failed'))
) WITH (fillfactor = 80);
CREATE INDEX webhook_stats_age_ix ON webhook_stats (width, start)`;

function policiesOf(table: string): string {
  return `
ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
CREATE POLICY ${table}_tenant ON ${table}
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY ${table}_worker ON ${table} TO webhooks_worker
  USING (current_user = 'webhooks_worker') WITH CHECK (current_user = 'webhooks_worker')`;
}

const GRANTS = `
GRANT SELECT ON webhook_stats, webhook_stats_new TO webhooks_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_stats, webhook_stats_new TO webhooks_worker`;

/* Durations are exact up to 127 ms; beyond, they are cut to 64 steps for each doubling: 1.6 % at most. */
const STEP = `
CREATE FUNCTION webhook_duration_step(p_ms integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT p_ms - p_ms % (CASE WHEN p_ms < 128 THEN 1 WHEN p_ms < 256 THEN 2 WHEN p_ms < 512 THEN 4 WHEN p_ms < 1024 THEN 8
                             WHEN p_ms < 2048 THEN 16 WHEN p_ms < 4096 THEN 32 WHEN p_ms < 8192 THEN 64 WHEN p_ms < 16384 THEN 128
                             WHEN p_ms < 32768 THEN 256 WHEN p_ms < 65536 THEN 512 WHEN p_ms < 131072 THEN 1024 ELSE 2048 END)
$$`;

/* Called in the statement of a settlement, after webhook_settle, whose p_moved still had their leases: the others are known. */
export const MEASURE = `
CREATE FUNCTION webhook_measure(
  p_tenants text[], p_subscriptions uuid[], p_deliveries uuid[], p_numbers integer[], p_statuses text[], p_classes text[],
  p_durations integer[], p_moved uuid[]
) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_nestloop = off AS $$
BEGIN
  INSERT INTO webhook_stats_new (tenant_id, subscriptions, outcomes, classes, durations)
    SELECT r.tenant_id, array_agg(r.subscription_id),
           array_agg(CASE r.status WHEN 'DELIVERED' THEN CASE WHEN r.number = 1 THEN 'first' ELSE 'delivered' END
                                   WHEN 'FAILED' THEN 'failed' ELSE 'retried' END),
           array_agg(coalesce(r.class, '')), array_agg(r.duration)
      FROM unnest(p_tenants, p_subscriptions, p_deliveries, p_numbers, p_statuses, p_classes, p_durations)
           AS r (tenant_id, subscription_id, delivery_id, number, status, class, duration)
     WHERE cardinality(p_moved) = cardinality(p_deliveries) OR r.delivery_id IN (SELECT m.id FROM unnest(p_moved) AS m (id))
     GROUP BY r.tenant_id;
END
$$`;

/*
 * Folds up to so many rows into the rollups, one process at a time, and says how many; -1: another process is at it. What is
 * folded and its rollups change in one statement, so that no question sees an attempt twice or not at all.
 */
export const FOLD = `
CREATE FUNCTION webhook_fold_stats(p_limit integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  v_folded integer;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('webhooks: fold statistics', 0)) THEN
    RETURN -1;
  END IF;
  WITH taken AS (
    DELETE FROM webhook_stats_new n USING (SELECT o.tenant_id, o.id FROM webhook_stats_new o LIMIT p_limit) AS o
     WHERE n.tenant_id = o.tenant_id AND n.id = o.id
    RETURNING n.*
  ), entry AS MATERIALIZED (
    SELECT t.tenant_id, date_trunc('minute', t.at) AS minute, u.subscription_id, u.outcome, u.class,
           webhook_duration_step(u.duration) AS ms, count(*)::integer AS count
      FROM taken t CROSS JOIN LATERAL unnest(t.subscriptions, t.outcomes, t.classes, t.durations) AS u (subscription_id, outcome, class, duration)
     GROUP BY 1, 2, 3, 4, 5, 6
  ), kept AS (
    SELECT e.tenant_id, w.width, CASE w.width WHEN 60 THEN date_trunc('hour', e.minute) ELSE e.minute END AS start,
           s.id AS subscription_id, e.outcome, e.class, e.ms, sum(e.count)::integer AS count
      FROM entry e CROSS JOIN (VALUES (1::smallint), (60::smallint)) AS w (width)
     CROSS JOIN LATERAL (VALUES (e.subscription_id), ('00000000-0000-0000-0000-000000000000'::uuid)) AS s (id)
     GROUP BY 1, 2, 3, 4, 5, 6, 7
  ), folded AS (
    INSERT INTO webhook_stats AS b (tenant_id, width, start, subscription_id, outcome, error_class, durations, counts)
      SELECT k.tenant_id, k.width, k.start, k.subscription_id, k.outcome, k.class,
             array_agg(k.ms ORDER BY k.ms), array_agg(k.count ORDER BY k.ms)
        FROM kept k GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (tenant_id, width, subscription_id, start, outcome, error_class) DO UPDATE
       SET (durations, counts) = (
         SELECT array_agg(a.ms ORDER BY a.ms), array_agg(a.count ORDER BY a.ms)
           FROM (SELECT u.ms, sum(u.count)::integer AS count
                   FROM (SELECT * FROM unnest(b.durations, b.counts) UNION ALL SELECT * FROM unnest(excluded.durations, excluded.counts))
                        AS u (ms, count)
                  GROUP BY u.ms) AS a)
  )
  SELECT count(*) INTO v_folded FROM taken;
  RETURN v_folded;
END
$$`;
