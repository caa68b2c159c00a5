import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What has ended and is sent again gets one attempt: its schedule is over, and whoever asks for it says so in the row. */
export class ResendOnce1764002240000 implements MigrationInterface {
  name = 'ResendOnce1764002240000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('GRANT UPDATE (auto_attempts) ON webhook_deliveries TO webhooks_tenant');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('REVOKE UPDATE (auto_attempts) ON webhook_deliveries FROM webhooks_tenant');
  }
}
