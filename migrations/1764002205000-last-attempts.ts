import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the last attempt came to, for deliveries of before. A migration of its own: it takes as long as there are deliveries, and
 * holds up nobody but the deliveries themselves.
 */
export class LastAttempts1764002205000 implements MigrationInterface {
  name = 'LastAttempts1764002205000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(FILL);
  }

  /** The columns go with the migration that made them. */
  async down(): Promise<void> {
    return Promise.resolve();
  }
}

/*
 * The owner is held to row-level security, and this is for all tenants. A login that may not be the worker has never run the
 * service, so there is nothing to fill; the start tells it what to grant.
 */
const FILL = `
DO $do$
BEGIN
  IF NOT pg_has_role('webhooks_worker', CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
    RETURN;
  END IF;
  SET LOCAL ROLE webhooks_worker;
  UPDATE webhook_deliveries d
     SET last_status_code = a.status_code, last_duration_ms = a.duration_ms, last_error_class = a.error_class
    FROM (
      SELECT DISTINCT ON (tenant_id, delivery_id) tenant_id, delivery_id, status_code, duration_ms, error_class
        FROM webhook_attempts ORDER BY tenant_id, delivery_id, number DESC
    ) AS a
   WHERE d.tenant_id = a.tenant_id AND d.id = a.delivery_id AND d.last_duration_ms IS NULL;
  RESET ROLE;
END
$do$`;
