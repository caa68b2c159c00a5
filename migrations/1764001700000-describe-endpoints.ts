import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A subscription has a description, and settings with sealed records in them, which the worker seals anew. */
export class DescribeEndpoints1764001700000 implements MigrationInterface {
  name = 'DescribeEndpoints1764001700000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE webhook_subscriptions ADD COLUMN description text;
      GRANT UPDATE (description) ON webhook_subscriptions TO webhooks_tenant;
      GRANT UPDATE (settings) ON webhook_subscriptions TO webhooks_worker`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE UPDATE (settings) ON webhook_subscriptions FROM webhooks_worker;
      ALTER TABLE webhook_subscriptions DROP COLUMN description`);
  }
}
