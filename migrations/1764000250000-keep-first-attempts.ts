import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Marks retries, so that an endpoint's old retries and its first attempts can be claimed side by side. */
export class KeepFirstAttempts1764000250000 implements MigrationInterface {
  name = 'KeepFirstAttempts1764000250000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE webhook_deliveries ADD COLUMN is_retry boolean NOT NULL DEFAULT false;
      GRANT UPDATE (is_retry) ON webhook_deliveries TO webhooks_tenant, webhooks_worker;
      DROP INDEX webhook_deliveries_due_ix;
      CREATE INDEX webhook_deliveries_due_ix ON webhook_deliveries (subscription_id, is_retry, next_attempt_at, id)
        WHERE status = 'PENDING'`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX webhook_deliveries_due_ix;
      CREATE INDEX webhook_deliveries_due_ix ON webhook_deliveries (subscription_id, next_attempt_at, id)
        WHERE status = 'PENDING';
      ALTER TABLE webhook_deliveries DROP COLUMN is_retry`);
  }
}
