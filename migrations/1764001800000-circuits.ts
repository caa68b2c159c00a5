import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is known of an endpoint's health, in the row of its lane; and which attempts were probes of a circuit that was open. */
export class Circuits1764001800000 implements MigrationInterface {
  name = 'Circuits1764001800000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMNS, GRANTS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE webhook_attempts DROP COLUMN probe;
      REVOKE UPDATE (circuit_state, circuit_opened_at, next_probe_at, failures) ON webhook_lanes FROM webhooks_tenant;
      DROP INDEX webhook_lanes_kept_ix;
      CREATE INDEX webhook_lanes_paused_ix ON webhook_lanes (tenant_id, subscription_id) WHERE paused_at IS NOT NULL;
      ALTER TABLE webhook_lanes DROP COLUMN counted_from, DROP COLUMN recent_failed, DROP COLUMN recent_attempts,
        DROP COLUMN recent_bucket, DROP COLUMN ramp, DROP COLUMN failing_since, DROP COLUMN next_probe_id,
        DROP COLUMN probe_id, DROP COLUMN probe_wait_ms, DROP COLUMN circuit_cause`);
  }
}

/*
 * As domain/gates/circuit.ts explains them. recent_*: attempts that ended in the last five minutes, by half minutes, the newest
 * first; null while nothing has failed, so that a lane that does well is not written for what it sends.
 */
const COLUMNS = `
ALTER TABLE webhook_lanes
  ADD COLUMN circuit_cause text,
  ADD COLUMN probe_wait_ms integer,
  ADD COLUMN probe_id uuid,
  ADD COLUMN next_probe_id uuid,
  ADD COLUMN failing_since timestamptz,
  ADD COLUMN ramp integer,
  ADD COLUMN recent_bucket integer,
  ADD COLUMN recent_attempts integer[],
  ADD COLUMN recent_failed integer[],
  ADD COLUMN counted_from timestamptz;
DROP INDEX webhook_lanes_paused_ix;
CREATE INDEX webhook_lanes_kept_ix ON webhook_lanes (tenant_id, subscription_id)
  WHERE paused_at IS NOT NULL OR circuit_state <> 'closed';
ALTER TABLE webhook_attempts ADD COLUMN probe boolean NOT NULL DEFAULT false`;

/* A tenant resets a circuit, and replaces the target that it is about. A late result takes the place of what the sweep logged. */
const GRANTS = `
GRANT UPDATE (circuit_state, circuit_cause, circuit_opened_at, next_probe_at, probe_wait_ms, probe_id, next_probe_id, failures,
              failing_since, ramp, recent_bucket, recent_attempts, recent_failed, counted_from)
  ON webhook_lanes TO webhooks_tenant, webhooks_worker;
GRANT UPDATE (probe) ON webhook_attempts TO webhooks_worker`;
