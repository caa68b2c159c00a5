import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Background tasks that a tenant starts: sending again what matches a filter, replaying what an endpoint never got. */
export class CreateTasks1764000900000 implements MigrationInterface {
  name = 'CreateTasks1764000900000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [ONE_DELIVERY, TABLE, POLICIES, GRANTS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE INSERT ON webhook_deliveries FROM webhooks_worker;
      DROP TABLE webhook_tasks;
      CREATE INDEX webhook_deliveries_event_ix ON webhook_deliveries (tenant_id, event_id);
      DROP INDEX webhook_deliveries_event_uq`);
  }
}

/* An event goes to a subscription once: whatever replays it sends the same delivery again, also two replays at a time. */
const ONE_DELIVERY = `
CREATE UNIQUE INDEX webhook_deliveries_event_uq ON webhook_deliveries (tenant_id, event_id, subscription_id);
DROP INDEX webhook_deliveries_event_ix`;

/* The partial index is the list of work: finished tasks cost nothing, however many there are. */
const TABLE = `
CREATE TABLE webhook_tasks (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  selection jsonb NOT NULL,
  status text NOT NULL DEFAULT 'RUNNING',
  total integer NOT NULL,
  done integer NOT NULL DEFAULT 0,
  position uuid NOT NULL,
  until uuid NOT NULL,
  failures integer NOT NULL DEFAULT 0,
  error text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CONSTRAINT webhook_tasks_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT webhook_tasks_kind_ck CHECK (kind IN ('retry_deliveries', 'replay_missing')),
  CONSTRAINT webhook_tasks_status_ck CHECK (status IN ('RUNNING', 'DONE', 'CANCELLED', 'FAILED'))
);
CREATE INDEX webhook_tasks_running_ix ON webhook_tasks (updated_at) WHERE status = 'RUNNING'`;

const POLICIES = `
ALTER TABLE webhook_tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_tasks_tenant ON webhook_tasks
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY webhook_tasks_worker ON webhook_tasks TO webhooks_worker USING (true) WITH CHECK (true)`;

/* A tenant starts and cancels tasks; their progress is the worker's, and so are the deliveries that a replay makes. */
const GRANTS = `
GRANT SELECT, INSERT ON webhook_tasks TO webhooks_tenant;
GRANT UPDATE (status, updated_at, finished_at) ON webhook_tasks TO webhooks_tenant;
GRANT SELECT ON webhook_tasks TO webhooks_worker;
GRANT UPDATE (status, done, position, failures, error, updated_at, finished_at) ON webhook_tasks TO webhooks_worker;
GRANT INSERT ON webhook_deliveries TO webhooks_worker`;
