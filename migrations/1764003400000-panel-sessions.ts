import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Sessions of the panel, and the links that open them. A token is looked for before anybody knows whose it is, so the keys do
 * not begin with the tenant, and it is the worker's role alone that may touch the table. An administrator's session is of no
 * tenant: no tenant's policy lets it through.
 */
export class PanelSessions1764003400000 implements MigrationInterface {
  name = 'PanelSessions1764003400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE panel_sessions (
        id uuid NOT NULL,
        tenant_id text,
        subject text NOT NULL,
        scopes text[] NOT NULL,
        read_only boolean NOT NULL,
        link_hash bytea,
        session_hash bytea,
        started_at timestamptz NOT NULL DEFAULT now(),
        used_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT panel_sessions_pk PRIMARY KEY (id),
        CONSTRAINT panel_sessions_state_ck CHECK ((link_hash IS NULL) <> (session_hash IS NULL))
      );
      CREATE UNIQUE INDEX panel_sessions_link_uq ON panel_sessions (link_hash);
      CREATE UNIQUE INDEX panel_sessions_session_uq ON panel_sessions (session_hash);
      ALTER TABLE panel_sessions ENABLE ROW LEVEL SECURITY;
      ALTER TABLE panel_sessions FORCE ROW LEVEL SECURITY;
      CREATE POLICY panel_sessions_tenant ON panel_sessions
        USING (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''))
        WITH CHECK (tenant_id = nullif(current_setting('app.current_tenant_id', true), ''));
      CREATE POLICY panel_sessions_worker ON panel_sessions TO webhooks_worker
        USING (current_user = 'webhooks_worker') WITH CHECK (current_user = 'webhooks_worker');
      GRANT SELECT, INSERT, UPDATE, DELETE ON panel_sessions TO webhooks_worker`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE panel_sessions');
  }
}
