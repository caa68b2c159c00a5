import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A task that is asked for again with the same key is the same task; and what it has to leave out is counted. */
export class RepeatedTasks1764002230000 implements MigrationInterface {
  name = 'RepeatedTasks1764002230000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE webhook_tasks
        ADD COLUMN skipped integer NOT NULL DEFAULT 0, ADD COLUMN idempotency_key text, ADD COLUMN fingerprint text;
      CREATE UNIQUE INDEX webhook_tasks_idempotency_uq ON webhook_tasks (tenant_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX webhook_tasks_idempotency_uq;
      ALTER TABLE webhook_tasks DROP COLUMN skipped, DROP COLUMN idempotency_key, DROP COLUMN fingerprint`);
  }
}
