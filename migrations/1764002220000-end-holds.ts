import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Since when a delivery is held that the service itself cannot send: its `held_until` moves on with every look at it. What a
 * gate of the lane keeps back needs none of it, the lane knows since when it does. What was held before counts from its next hold on.
 */
export class EndHolds1764002220000 implements MigrationInterface {
  name = 'EndHolds1764002220000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE webhook_deliveries ADD COLUMN held_since timestamptz;
      CREATE INDEX webhook_deliveries_held_ix ON webhook_deliveries (held_since)
        WHERE status = 'PENDING' AND held_since IS NOT NULL;
      GRANT UPDATE (held_since) ON webhook_deliveries TO webhooks_worker`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX webhook_deliveries_held_ix;
      ALTER TABLE webhook_deliveries DROP COLUMN held_since`);
  }
}
