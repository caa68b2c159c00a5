import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Why a delivery is kept back, and until when. A hold is in force while it has set the due time: whatever moves that (an
 * attempt, a manual retry) ends it, without a word about it in the statements that do.
 */
export class HoldDeliveries1764000960000 implements MigrationInterface {
  name = 'HoldDeliveries1764000960000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE webhook_deliveries ADD COLUMN held_reason text, ADD COLUMN held_until timestamptz;
      GRANT UPDATE (held_reason, held_until) ON webhook_deliveries TO webhooks_worker`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE webhook_deliveries DROP COLUMN held_reason, DROP COLUMN held_until`);
  }
}
