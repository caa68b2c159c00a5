import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which events were made to test an endpoint: nobody else is to get them, and nothing sends them again by itself. */
export class TestDeliveries1764002400000 implements MigrationInterface {
  name = 'TestDeliveries1764002400000';

  async up(queryRunner: QueryRunner): Promise<void> {
    // Null, for all others, is no byte of the row; the index has the few that are tests.
    await queryRunner.query(`
      ALTER TABLE webhook_events ADD COLUMN is_test boolean;
      CREATE INDEX webhook_events_test_ix ON webhook_events (tenant_id, id) WHERE is_test`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX webhook_events_test_ix;
      ALTER TABLE webhook_events DROP COLUMN is_test`);
  }
}
