import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A subscription may listen to several events. What the active ones listen to is a table of its own, kept up by a trigger: it
 * answers who matches an event, and its key makes each of them the only one of its event and target.
 */
export class SeveralEvents1764001710000 implements MigrationInterface {
  name = 'SeveralEvents1764001710000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [TABLE, POLICIES, GRANTS, TRIGGERS, BACKFILL, LISTENING])
      await queryRunner.query(statement);
    for (const [from, to] of REPLACED) await queryRunner.query(replaceInFanOut(from, to));
    await queryRunner.query('DROP INDEX webhook_subscriptions_active_uq');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [from, to] of REPLACED) await queryRunner.query(replaceInFanOut(to, from));
    await queryRunner.query(`
      CREATE UNIQUE INDEX webhook_subscriptions_active_uq ON webhook_subscriptions (tenant_id, event, webhook_target_key(url))
        WHERE active;
      DROP FUNCTION webhook_listening(text, text[]);
      DROP TRIGGER webhook_subscriptions_listens ON webhook_subscriptions;
      DROP TRIGGER webhook_subscriptions_listens_otherwise ON webhook_subscriptions;
      DROP FUNCTION webhook_subscription_listens();
      DROP TABLE webhook_subscription_events;
      ALTER TABLE webhook_subscriptions DROP COLUMN more_events`);
  }
}

const TABLE = `
ALTER TABLE webhook_subscriptions ADD COLUMN more_events text[] NOT NULL DEFAULT '{}';
CREATE TABLE webhook_subscription_events (
  tenant_id text NOT NULL,
  event text NOT NULL,
  target_key text NOT NULL,
  subscription_id uuid NOT NULL,
  CONSTRAINT webhook_subscription_events_pk PRIMARY KEY (tenant_id, event, target_key)
);
CREATE INDEX webhook_subscription_events_subscription_ix ON webhook_subscription_events (subscription_id)`;

const POLICIES = `
ALTER TABLE webhook_subscription_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_subscription_events FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_subscription_events_tenant ON webhook_subscription_events
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY webhook_subscription_events_worker ON webhook_subscription_events TO webhooks_worker
  USING (current_user = 'webhooks_worker') WITH CHECK (current_user = 'webhooks_worker')`;

/* The worker ends subscriptions whose endpoint is gone. */
const GRANTS = `
GRANT UPDATE (more_events) ON webhook_subscriptions TO webhooks_tenant;
GRANT SELECT, INSERT, DELETE ON webhook_subscription_events TO webhooks_tenant;
GRANT SELECT, DELETE ON webhook_subscription_events TO webhooks_worker`;

const TRIGGERS = `
CREATE FUNCTION webhook_subscription_listens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    DELETE FROM webhook_subscription_events w WHERE w.subscription_id = OLD.id AND w.tenant_id = OLD.tenant_id;
  END IF;
  -- Not for what is inactive, not even of no rows: the worker may only take away.
  IF TG_OP <> 'DELETE' AND NEW.active THEN
    INSERT INTO webhook_subscription_events (tenant_id, event, target_key, subscription_id)
      SELECT DISTINCT NEW.tenant_id, e.event, webhook_target_key(NEW.url), NEW.id
        FROM unnest(NEW.event || NEW.more_events) AS e (event);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER webhook_subscriptions_listens AFTER INSERT OR DELETE ON webhook_subscriptions
  FOR EACH ROW EXECUTE FUNCTION webhook_subscription_listens();
CREATE TRIGGER webhook_subscriptions_listens_otherwise AFTER UPDATE OF event, more_events, url, active ON webhook_subscriptions
  FOR EACH ROW WHEN ((OLD.event, OLD.more_events, OLD.url, OLD.active) IS DISTINCT FROM (NEW.event, NEW.more_events, NEW.url, NEW.active))
  EXECUTE FUNCTION webhook_subscription_listens()`;

/* The owner is held to row-level security, and this is for all tenants. */
const BACKFILL = `
ALTER TABLE webhook_subscriptions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE webhook_subscription_events NO FORCE ROW LEVEL SECURITY;
INSERT INTO webhook_subscription_events (tenant_id, event, target_key, subscription_id)
  SELECT tenant_id, event, webhook_target_key(url), id FROM webhook_subscriptions WHERE active;
ALTER TABLE webhook_subscription_events FORCE ROW LEVEL SECURITY;
ALTER TABLE webhook_subscriptions FORCE ROW LEVEL SECURITY`;

/* Each once, however many of its patterns match. */
const LISTENING = `
CREATE FUNCTION webhook_listening(p_tenant text, p_patterns text[]) RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 10 AS $$
  SELECT DISTINCT w.subscription_id FROM webhook_subscription_events w
   WHERE w.tenant_id = p_tenant AND w.event = ANY (p_patterns)
$$`;

/*
 * How the functions that fan out find who matches, in webhook_accept and in webhook_emit. In all versions of them: processes
 * of the version before call theirs until they are restarted.
 */
const REPLACED: readonly (readonly [string, string])[] = [
  [
    `JOIN webhook_subscriptions s
            ON s.tenant_id = v_tenant AND s.active AND s.event = ANY (string_to_array(g.patterns, ' '))`,
    `CROSS JOIN LATERAL webhook_listening(v_tenant, string_to_array(g.patterns, ' ')) AS l (id)
          JOIN webhook_subscriptions s
            ON s.tenant_id = v_tenant AND s.active AND s.id = l.id`,
  ],
  [
    `s.tenant_id = p_tenant AND s.active AND s.event = ANY (p_patterns)`,
    `s.tenant_id = p_tenant AND s.active AND s.id IN (SELECT l.id FROM webhook_listening(p_tenant, p_patterns) AS l (id))`,
  ],
];

/* Fails when no function has the text any more: then it has to be said here how the new ones match. */
function replaceInFanOut(from: string, to: string): string {
  return `
DO $do$
DECLARE
  v_definition text;
  v_done integer := 0;
BEGIN
  FOR v_definition IN
    SELECT pg_get_functiondef(p.oid) FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('webhook_accept', 'webhook_emit')
  LOOP
    IF strpos(v_definition, $from$${from}$from$) > 0 THEN
      EXECUTE replace(v_definition, $from$${from}$from$, $to$${to}$to$);
      v_done := v_done + 1;
    END IF;
  END LOOP;
  IF v_done = 0 THEN
    RAISE EXCEPTION 'no function that fans out has the condition that this migration replaces';
  END IF;
END
$do$`;
}
