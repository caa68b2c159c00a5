import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What every delivery pays for, made as little as will do: no foreign keys (the engine writes both sides in one statement,
 * and retention removes from the leaves up), lookups by keys that no other index can be mistaken for, fewer index entries.
 */
export class NarrowHotPath1764001200000 implements MigrationInterface {
  name = 'NarrowHotPath1764001200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [NO_FOREIGN_KEYS, INDEXES, COLUMNS, WORKERS, GRANTS, VACUUM])
      await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of UNDO) await queryRunner.query(statement);
  }
}

const NO_FOREIGN_KEYS = `
ALTER TABLE webhook_attempts DROP CONSTRAINT webhook_attempts_delivery_fk;
ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_event_fk`;

/*
 * The engine finds a row by (event_id, subscription_id), which no other index leads with: on a table without statistics the
 * planner held two indexes that begin with the tenant for equally good, and took the one that reads all of the tenant's
 * rows. For the same reason the lists by name lead with the name, and idempotency with its key. Every delivery was an entry of the status index three times
 * over; now it is one of an index of what is open, and of one of what failed.
 */
const INDEXES = `
DROP INDEX webhook_deliveries_event_uq;
CREATE UNIQUE INDEX webhook_deliveries_event_uq ON webhook_deliveries (event_id, subscription_id, tenant_id);
DROP INDEX webhook_deliveries_status_ix;
CREATE INDEX webhook_deliveries_open_ix ON webhook_deliveries (tenant_id, id) WHERE status IN ('PENDING', 'SENDING');
CREATE INDEX webhook_deliveries_failed_ix ON webhook_deliveries (tenant_id, id) WHERE status = 'FAILED';
CREATE INDEX webhook_deliveries_name_ix ON webhook_deliveries (event, tenant_id, id);
CREATE INDEX webhook_events_name_ix ON webhook_events (event, tenant_id, id);
DROP INDEX webhook_events_idempotency_uq;
CREATE UNIQUE INDEX webhook_events_idempotency_uq ON webhook_events (idempotency_key, tenant_id)
  WHERE idempotency_key IS NOT NULL`;

/* interruptions: attempts that ended with their process, which do not use up the schedule (three at most). */
const COLUMNS = `
ALTER TABLE webhook_deliveries
  ADD COLUMN leased_by uuid,
  ADD COLUMN interruptions smallint NOT NULL DEFAULT 0`;

/*
 * One row for each process that delivers, written once a second: its leases hold while it lives. So a lease is short without
 * being renewed row by row. No tenant in it, so no row-level security; the worker's role alone may touch it.
 */
const WORKERS = `
CREATE TABLE webhook_workers (
  id uuid NOT NULL,
  alive_until timestamptz NOT NULL,
  CONSTRAINT webhook_workers_pk PRIMARY KEY (id)
)`;

/*
 * A replay locks its event against retention (FOR KEY SHARE asks for UPDATE of some column); the column's check constraint
 * keeps a tenant from changing anything with it.
 */
const GRANTS = `
GRANT UPDATE (leased_by, interruptions) ON webhook_deliveries TO webhooks_worker;
GRANT UPDATE (has_payload) ON webhook_events TO webhooks_tenant;
GRANT DELETE ON webhook_attempts TO webhooks_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_workers TO webhooks_worker`;

/* Tables of which every row is written two or three times in a second are cleaned by share of what changed, early. */
const VACUUM = `
ALTER TABLE webhook_deliveries SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE webhook_workers SET (fillfactor = 50, autovacuum_vacuum_threshold = 200)`;

const UNDO = [
  'DROP TABLE webhook_workers',
  'REVOKE UPDATE (has_payload) ON webhook_events FROM webhooks_tenant',
  'REVOKE DELETE ON webhook_attempts FROM webhooks_worker',
  'ALTER TABLE webhook_deliveries RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor)',
  'ALTER TABLE webhook_deliveries DROP COLUMN leased_by, DROP COLUMN interruptions',
  `DROP INDEX webhook_events_idempotency_uq;
   CREATE UNIQUE INDEX webhook_events_idempotency_uq ON webhook_events (tenant_id, idempotency_key)
     WHERE idempotency_key IS NOT NULL;
   DROP INDEX webhook_events_name_ix;
   DROP INDEX webhook_deliveries_name_ix;
   DROP INDEX webhook_deliveries_failed_ix;
   DROP INDEX webhook_deliveries_open_ix;
   CREATE INDEX webhook_deliveries_status_ix ON webhook_deliveries (tenant_id, status, id);
   DROP INDEX webhook_deliveries_event_uq;
   CREATE UNIQUE INDEX webhook_deliveries_event_uq ON webhook_deliveries (tenant_id, event_id, subscription_id)`,
  // What lost its parent meanwhile could not be referred from any more.
  `DELETE FROM webhook_deliveries d
    WHERE NOT EXISTS (SELECT FROM webhook_events e WHERE e.tenant_id = d.tenant_id AND e.id = d.event_id)`,
  `DELETE FROM webhook_attempts a
    WHERE NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.tenant_id = a.tenant_id AND d.id = a.delivery_id)`,
  `ALTER TABLE webhook_deliveries ADD CONSTRAINT webhook_deliveries_event_fk FOREIGN KEY (tenant_id, event_id)
     REFERENCES webhook_events (tenant_id, id) ON DELETE CASCADE;
   ALTER TABLE webhook_attempts ADD CONSTRAINT webhook_attempts_delivery_fk FOREIGN KEY (tenant_id, delivery_id)
     REFERENCES webhook_deliveries (tenant_id, id) ON DELETE CASCADE`,
];
