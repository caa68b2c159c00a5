import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Old events can be removed with their deliveries, and the payload of an event before the event itself. */
export class RetainHistory1764000200000 implements MigrationInterface {
  name = 'RetainHistory1764000200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [PAYLOAD, INDEX, GRANTS]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      REVOKE DELETE ON webhook_events, webhook_deliveries FROM webhooks_worker;
      REVOKE UPDATE (payload) ON webhook_events FROM webhooks_worker;
      DROP INDEX webhook_events_age_ix;
      ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_payload_ck;
      ALTER TABLE webhook_events DROP COLUMN has_payload`);
    // What was removed stays removed: JSON's own null, which is no payload that anybody could have emitted.
    await queryRunner.query(`UPDATE webhook_events SET payload = 'null' WHERE payload IS NULL`);
    await queryRunner.query('ALTER TABLE webhook_events ALTER COLUMN payload SET NOT NULL');
  }
}

const PAYLOAD = `
ALTER TABLE webhook_events
  ALTER COLUMN payload DROP NOT NULL,
  ADD COLUMN has_payload boolean NOT NULL DEFAULT true,
  ADD CONSTRAINT webhook_events_payload_ck CHECK (has_payload = (payload IS NOT NULL))`;

/*
 * Retention looks for the oldest events of all tenants: those that still have a payload, and those that lost it. New
 * events are the greatest keys (true, now), so each goes to the last page of the index, which is always cached.
 */
const INDEX = `CREATE INDEX webhook_events_age_ix ON webhook_events (has_payload, created_at)`;

/* Attempts go with their deliveries by the foreign key, which needs no grant. */
const GRANTS = `
GRANT DELETE ON webhook_events, webhook_deliveries TO webhooks_worker;
GRANT UPDATE (payload, has_payload) ON webhook_events TO webhooks_worker`;
