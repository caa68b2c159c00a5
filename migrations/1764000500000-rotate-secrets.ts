import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A subscription keeps its previous signing secret for a while after a rotation, and keys can be rotated under both. */
export class RotateSecrets1764000500000 implements MigrationInterface {
  name = 'RotateSecrets1764000500000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMNS, GRANTS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE UPDATE (secret) ON webhook_subscriptions FROM webhooks_worker;
      ALTER TABLE webhook_subscriptions
        DROP COLUMN previous_secret, DROP COLUMN previous_secret_expires_at, DROP COLUMN secret_rotated_at;
    `);
  }
}

/* A previous secret without an end would sign for ever. */
const COLUMNS = `
ALTER TABLE webhook_subscriptions
  ADD COLUMN previous_secret text,
  ADD COLUMN previous_secret_expires_at timestamptz,
  ADD COLUMN secret_rotated_at timestamptz,
  ADD CONSTRAINT webhook_subscriptions_previous_ck
    CHECK (previous_secret IS NULL OR previous_secret_expires_at IS NOT NULL)`;

/* The worker seals records anew under the current key, and forgets previous secrets whose time is over. */
const GRANTS = `
GRANT UPDATE (previous_secret, previous_secret_expires_at, secret_rotated_at) ON webhook_subscriptions TO webhooks_tenant;
GRANT UPDATE (secret, previous_secret, previous_secret_expires_at) ON webhook_subscriptions TO webhooks_worker`;
