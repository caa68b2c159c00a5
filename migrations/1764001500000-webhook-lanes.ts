import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One narrow row for each subscription: what a lane may do now. Opening a lane locks it, in place of an advisory lock, so that
 * whatever a gate decides by is decided under one lock. It is written when it changes, never for a delivery that is sent.
 */
export class WebhookLanes1764001500000 implements MigrationInterface {
  name = 'WebhookLanes1764001500000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [TABLE, EXISTING, WITH_SUBSCRIPTION, TRIGGERS, PROTECTION, GRANTS]) {
      await queryRunner.query(statement);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER webhook_subscriptions_lane_made ON webhook_subscriptions;
      DROP TRIGGER webhook_subscriptions_lane_gone ON webhook_subscriptions;
      DROP FUNCTION webhook_lane_of_subscription();
      DROP TABLE webhook_lanes`);
  }
}

/*
 * paused_at: by the tenant, until it is resumed. rate_next_at: the first slot that no delivery has yet. held_until: the endpoint
 * asked for a pause. circuit_*, failures: how the endpoint fared lately. epoch: grows with each change after which results of
 * before say nothing any more.
 */
const TABLE = `
CREATE TABLE webhook_lanes (
  tenant_id text NOT NULL,
  subscription_id uuid NOT NULL,
  paused_at timestamptz,
  rate_next_at timestamptz,
  held_until timestamptz,
  circuit_state text NOT NULL DEFAULT 'closed',
  circuit_opened_at timestamptz,
  next_probe_at timestamptz,
  failures integer NOT NULL DEFAULT 0,
  epoch integer NOT NULL DEFAULT 0,
  CONSTRAINT webhook_lanes_pk PRIMARY KEY (tenant_id, subscription_id),
  CONSTRAINT webhook_lanes_circuit_ck CHECK (circuit_state IN ('closed', 'open', 'half_open'))
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200);
CREATE INDEX webhook_lanes_paused_ix ON webhook_lanes (tenant_id, subscription_id) WHERE paused_at IS NOT NULL`;

/* The owner is held to row-level security, and this is for all tenants. */
const EXISTING = `
ALTER TABLE webhook_subscriptions NO FORCE ROW LEVEL SECURITY;
INSERT INTO webhook_lanes (tenant_id, subscription_id) SELECT tenant_id, id FROM webhook_subscriptions;
ALTER TABLE webhook_subscriptions FORCE ROW LEVEL SECURITY`;

/* Triggers, so that whoever stores a subscription (a process of the version before, a script) makes its lane as well. */
const WITH_SUBSCRIPTION = `
CREATE FUNCTION webhook_lane_of_subscription() RETURNS trigger LANGUAGE plpgsql
  SET search_path = public, pg_temp SET row_security = on AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO webhook_lanes (tenant_id, subscription_id) VALUES (NEW.tenant_id, NEW.id) ON CONFLICT DO NOTHING;
  ELSE
    DELETE FROM webhook_lanes l WHERE l.tenant_id = OLD.tenant_id AND l.subscription_id = OLD.id;
  END IF;
  RETURN NULL;
END
$$`;

const TRIGGERS = `
CREATE TRIGGER webhook_subscriptions_lane_made AFTER INSERT ON webhook_subscriptions
  FOR EACH ROW EXECUTE FUNCTION webhook_lane_of_subscription();
CREATE TRIGGER webhook_subscriptions_lane_gone AFTER DELETE ON webhook_subscriptions
  FOR EACH ROW EXECUTE FUNCTION webhook_lane_of_subscription()`;

const PROTECTION = `
ALTER TABLE webhook_lanes ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_lanes FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_lanes_tenant ON webhook_lanes
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY webhook_lanes_worker ON webhook_lanes TO webhooks_worker
  USING (current_user = 'webhooks_worker') WITH CHECK (current_user = 'webhooks_worker')`;

const GRANTS = `
GRANT SELECT, INSERT, DELETE ON webhook_lanes TO webhooks_tenant;
GRANT UPDATE (paused_at, epoch) ON webhook_lanes TO webhooks_tenant;
GRANT SELECT, INSERT ON webhook_lanes TO webhooks_worker;
GRANT UPDATE (rate_next_at, held_until, circuit_state, circuit_opened_at, next_probe_at, failures, epoch)
  ON webhook_lanes TO webhooks_worker`;
