import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The invoices of the reference module, closed to every tenant but their own. */
export class CreateInvoices1764000100000 implements MigrationInterface {
  name = 'CreateInvoices1764000100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [TABLE, POLICY, GRANTS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE invoices');
  }
}

/* Tenant first in every key. Lists read the primary key backwards: ids are UUIDv7, in order of creation. */
const TABLE = `
CREATE TABLE invoices (
  tenant_id text NOT NULL,
  id uuid NOT NULL,
  number text NOT NULL,
  customer text NOT NULL,
  total_cents bigint NOT NULL,
  currency text NOT NULL,
  status text NOT NULL DEFAULT 'draft',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT invoices_pk PRIMARY KEY (tenant_id, id),
  CONSTRAINT invoices_number_uq UNIQUE (tenant_id, number),
  CONSTRAINT invoices_status_ck CHECK (status IN ('draft', 'sent', 'authorized', 'paid', 'cancelled')),
  CONSTRAINT invoices_total_ck CHECK (total_cents >= 0)
)`;

/* nullif: a setting made local is '' once its transaction is over, not NULL. FORCE: the table's owner is held to it too. */
const POLICY = `
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY invoices_tenant ON invoices
  USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
  WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))`;

/* The delivery engine has no business here: webhooks_worker gets nothing. */
const GRANTS = `
GRANT SELECT, INSERT ON invoices TO webhooks_tenant;
GRANT UPDATE (status, updated_at) ON invoices TO webhooks_tenant`;
