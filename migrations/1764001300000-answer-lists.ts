import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pairs of filters of the list of deliveries that no index answered: many of each, and few or none of both. Failed ones cost
 * an entry only where a delivery fails; a subscription's deliveries of one event cost one entry each, when they finish
 * (what is open is found by an index of its own), and not one at every change of their row.
 */
export class AnswerLists1764001300000 implements MigrationInterface {
  name = 'AnswerLists1764001300000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX webhook_deliveries_failed_name_ix ON webhook_deliveries (event, tenant_id, id)
        WHERE status = 'FAILED';
      CREATE INDEX webhook_deliveries_failed_lane_ix ON webhook_deliveries (subscription_id, tenant_id, id)
        WHERE status = 'FAILED';
      CREATE INDEX webhook_deliveries_finished_ix ON webhook_deliveries (subscription_id, event, tenant_id, id)
        WHERE status IN ('DELIVERED', 'FAILED')`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX webhook_deliveries_finished_ix;
      DROP INDEX webhook_deliveries_failed_lane_ix;
      DROP INDEX webhook_deliveries_failed_name_ix`);
  }
}
