import type { MigrationInterface, QueryRunner } from 'typeorm';

import { ACCEPT } from './1764001400000-subscription-settings.js';

/**
 * Births look at the lane: its row is locked as a claim does, and where a gate has a say nothing is born claimed. The same
 * function with another lock, so processes of the version before go on with it as well.
 */
export class BirthsBesideGates1764001540000 implements MigrationInterface {
  name = 'BirthsBesideGates1764001540000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const [before, after] = ACCEPT.split(ADVISORY);
    if (before === undefined || after === undefined) throw new Error('webhook_accept is not as it was');
    await queryRunner.query(replacing(`${before}${BY_ROW}${after}`));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(replacing(ACCEPT));
  }
}

const ADVISORY = `    v_locked := ARRAY(
      SELECT l.id FROM (SELECT DISTINCT u.id FROM unnest(v_subs) AS u (id)) AS l
        LEFT JOIN unnest(p_lanes, p_places) AS k (id, places) ON k.id = l.id
       WHERE coalesce(k.places, p_unknown_places) > 0 AND pg_try_advisory_xact_lock(hashtextextended(l.id::text, 0)));
`;

const BY_ROW = `    SELECT coalesce(array_agg(locked.id), '{}') INTO v_locked FROM (
      SELECT l.subscription_id AS id
        FROM (SELECT DISTINCT p_tenants[u.n] AS tenant, u.id, u.settings FROM unnest(v_ns, v_subs, v_settings) AS u (n, id, settings))
               AS w
        JOIN webhook_lanes l ON l.tenant_id = w.tenant AND l.subscription_id = w.id
        LEFT JOIN unnest(p_lanes, p_places) AS k (id, places) ON k.id = w.id
       WHERE coalesce(k.places, p_unknown_places) > 0 AND webhook_takes_births(l, w.settings::jsonb)
         FOR UPDATE OF l SKIP LOCKED
    ) AS locked;
`;

function replacing(create: string): string {
  return create.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION');
}
