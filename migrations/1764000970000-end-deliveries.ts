import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A tenant that deactivates a subscription ends what waits for it, with the reason. */
export class EndDeliveries1764000970000 implements MigrationInterface {
  name = 'EndDeliveries1764000970000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('GRANT UPDATE (last_error) ON webhook_deliveries TO webhooks_tenant');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('REVOKE UPDATE (last_error) ON webhook_deliveries FROM webhooks_tenant');
  }
}
