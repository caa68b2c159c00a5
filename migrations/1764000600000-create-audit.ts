import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who changed what: rows that are written with the change and never changed themselves. */
export class CreateAudit1764000600000 implements MigrationInterface {
  name = 'CreateAudit1764000600000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [TABLE, POLICY, GRANTS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE webhook_audit');
  }
}

/* Tenant first in every key; ids are UUIDv7, so lists read the keys backwards. No foreign keys: the trail outlives its resources. */
const TABLE = `
CREATE TABLE webhook_audit (
  tenant_id text NOT NULL,
  id uuid NOT NULL DEFAULT webhook_uuid_v7(),
  at timestamptz NOT NULL DEFAULT now(),
  actor_type text NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  resource_type text NOT NULL,
  resource_id uuid NOT NULL,
  details json NOT NULL,
  request_id text,
  CONSTRAINT webhook_audit_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT webhook_audit_actor_ck CHECK (actor_type IN ('token', 'system'))
);
CREATE INDEX webhook_audit_resource_ix ON webhook_audit (tenant_id, resource_id, id)`;

const POLICY = `
ALTER TABLE webhook_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_audit FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_audit_tenant ON webhook_audit
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
CREATE POLICY webhook_audit_worker ON webhook_audit FOR INSERT TO webhooks_worker WITH CHECK (true)`;

/* Append-only: nobody may UPDATE or DELETE. The worker writes what the service does by itself, and reads nothing. */
const GRANTS = `
GRANT SELECT, INSERT ON webhook_audit TO webhooks_tenant;
GRANT INSERT ON webhook_audit TO webhooks_worker`;
