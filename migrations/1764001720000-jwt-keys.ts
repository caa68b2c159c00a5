import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The keys of the service that sign JWTs. No tenant in it, so no row-level security; the worker's role alone may touch it.
 * `published_at` says everything: when a key begins to sign, when it gets a successor, and when it goes.
 */
export class JwtKeys1764001720000 implements MigrationInterface {
  name = 'JwtKeys1764001720000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE webhook_jwt_keys (
        kid text NOT NULL,
        alg text NOT NULL,
        public_key jsonb NOT NULL,
        sealed_key text NOT NULL,
        published_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT webhook_jwt_keys_pk PRIMARY KEY (kid),
        CONSTRAINT webhook_jwt_keys_alg_ck CHECK (alg IN ('EdDSA', 'ES256'))
      );
      GRANT SELECT, INSERT, DELETE, UPDATE (sealed_key) ON webhook_jwt_keys TO webhooks_worker`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE webhook_jwt_keys');
  }
}
