import type { MigrationInterface, QueryRunner } from 'typeorm';

import { NEWEST } from './1764002310000-settle-throttles.js';

/**
 * Where an event is stored, its deliveries to endpoints that want an order take their positions, and keep the key that it was
 * given. The functions of before stay: what processes of the version before store has no position, and is sent first.
 */
export class PositionsAtEmit1764002340000 implements MigrationInterface {
  name = 'PositionsAtEmit1764002340000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(NEWEST.rewritten('webhook_emit', EMIT_CHANGES));
    await queryRunner.query(NEWEST.rewritten('webhook_accept', ACCEPT_CHANGES));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of ['webhook_accept', 'webhook_emit']) await queryRunner.query(NEWEST.dropped(name));
  }
}

const EMIT_CHANGES: readonly (readonly [string, string])[] = [
  [`, OUT outcome text,`, `, p_ordering_key text, OUT outcome text,`],
  [
    `      SELECT s.id, s.url,\n`,
    `      SELECT s.id, s.url, s.settings ->> 'ordering' = 'fifo' AS ordered,\n`,
  ],
  [`INSERT INTO webhook_events (tenant_id,`, `INSERT INTO webhook_events (ordering_key, tenant_id,`],
  [`SELECT p_tenant, p_event_id,`, `SELECT p_ordering_key, p_tenant, p_event_id,`],
  [
    `INSERT INTO webhook_deliveries (tenant_id,`,
    `INSERT INTO webhook_deliveries (position, ordering_key, tenant_id,`,
  ],
  [
    `SELECT p_tenant, webhook_uuid_v7(),`,
    `SELECT CASE WHEN c.ordered THEN nextval('public.webhook_positions') END,
               CASE WHEN c.ordered THEN coalesce(p_ordering_key, '') END, p_tenant, webhook_uuid_v7(),`,
  ],
];

const ACCEPT_CHANGES: readonly (readonly [string, string])[] = [
  [`)\n RETURNS TABLE(`, `, p_ordering_keys text[])\n RETURNS TABLE(`],
  [`INSERT INTO webhook_events (tenant_id,`, `INSERT INTO webhook_events (ordering_key, tenant_id,`],
  [`SELECT v_tenant, i.id,`, `SELECT p_ordering_keys[i.n], v_tenant, i.id,`],
  [
    `INSERT INTO webhook_deliveries (tenant_id,`,
    `INSERT INTO webhook_deliveries (position, ordering_key, tenant_id,`,
  ],
  [
    `SELECT v_tenant, m.id,`,
    `SELECT CASE WHEN m.settings::jsonb ->> 'ordering' = 'fifo' THEN nextval('public.webhook_positions') END,
               CASE WHEN m.settings::jsonb ->> 'ordering' = 'fifo' THEN coalesce(p_ordering_keys[m.n], '') END, v_tenant, m.id,`,
  ],
];
