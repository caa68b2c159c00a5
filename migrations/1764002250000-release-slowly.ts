import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which task a delivery was made due by, so that a task makes no more due than is sent: what happens now comes first. */
export class ReleaseSlowly1764002250000 implements MigrationInterface {
  name = 'ReleaseSlowly1764002250000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE webhook_deliveries ADD COLUMN task_id uuid;
      CREATE INDEX webhook_deliveries_released_ix ON webhook_deliveries (task_id)
        WHERE task_id IS NOT NULL AND status IN ('PENDING', 'SENDING');
      GRANT UPDATE (task_id) ON webhook_deliveries TO webhooks_worker`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX webhook_deliveries_released_ix;
      ALTER TABLE webhook_deliveries DROP COLUMN task_id`);
  }
}
