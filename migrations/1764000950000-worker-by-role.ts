import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The worker's policies hold for whoever has taken the role on, and not for whoever could: the user of DATABASE_URL is a
 * member of webhooks_worker and inherits what the role may do, so that a connection which took on no role saw every tenant.
 */
export class WorkerByRole1764000950000 implements MigrationInterface {
  name = 'WorkerByRole1764000950000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(policies(`current_user = 'webhooks_worker'`));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(policies('true'));
  }
}

const TABLES = ['subscriptions', 'events', 'deliveries', 'attempts', 'tasks'];

function policies(condition: string): string {
  return [
    ...TABLES.map(
      (name) =>
        `ALTER POLICY webhook_${name}_worker ON webhook_${name} USING (${condition}) WITH CHECK (${condition});`,
    ),
    `ALTER POLICY webhook_audit_worker ON webhook_audit WITH CHECK (${condition});`,
  ].join('\n');
}
