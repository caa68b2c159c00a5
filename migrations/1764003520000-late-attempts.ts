import type { MigrationInterface, QueryRunner } from 'typeorm';

import { NEWEST } from './1764002310000-settle-throttles.js';

/**
 * An attempt that the sweep took for interrupted, and whose result comes after all, is counted as what it came to: the log
 * says so already. What it was counted as is taken back in the same minute.
 */
export class LateAttempts1764003520000 implements MigrationInterface {
  name = 'LateAttempts1764003520000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(COLUMNS);
    await queryRunner.query(LATE);
    await queryRunner.query(NEWEST.rewritten('webhook_measure', MEASURE));
    await queryRunner.query(NEWEST.rewritten('webhook_fold_stats', FOLD));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(NEWEST.rewritten('webhook_fold_stats', back(FOLD)));
    await queryRunner.query(NEWEST.rewritten('webhook_measure', back(MEASURE)));
    await queryRunner.query(`
      DROP FUNCTION webhook_measure_late(text[], uuid[], uuid[], integer[], text[], text[], integer[], uuid[]);
      ALTER TABLE webhook_stats_new DROP COLUMN weights;
      ALTER TABLE webhook_attempts DROP COLUMN interrupted`);
  }
}

/*
 * interrupted: as what the sweep counted an attempt (at, ms, outcome), until its result comes; null for nearly all. weights: how
 * often each attempt of a row counts, once where it is null; -1 takes one back.
 */
const COLUMNS = `
ALTER TABLE webhook_attempts ADD COLUMN interrupted json;
GRANT UPDATE (interrupted) ON webhook_attempts TO webhooks_worker;
ALTER TABLE webhook_stats_new ADD COLUMN weights integer[]`;

/* Of the results whose lease was lost. The sweep's own minute is the one that both are counted in. */
const LATE = `
CREATE FUNCTION webhook_measure_late(
  p_tenants text[], p_subscriptions uuid[], p_deliveries uuid[], p_numbers integer[], p_statuses text[], p_classes text[],
  p_durations integer[], p_moved uuid[]
) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
  SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_of record;
BEGIN
  FOR v_of IN
    SELECT r.*, a.interrupted
      FROM unnest(p_tenants, p_subscriptions, p_deliveries, p_numbers, p_statuses, p_classes, p_durations)
           AS r (tenant_id, subscription_id, delivery_id, number, status, class, duration)
      JOIN webhook_attempts a ON a.tenant_id = r.tenant_id AND a.delivery_id = r.delivery_id AND a.number = r.number
     WHERE r.delivery_id <> ALL (p_moved) AND a.interrupted IS NOT NULL
     ORDER BY r.tenant_id, r.delivery_id FOR UPDATE OF a
  LOOP
    UPDATE webhook_attempts a SET interrupted = NULL
     WHERE a.tenant_id = v_of.tenant_id AND a.delivery_id = v_of.delivery_id AND a.number = v_of.number;
    INSERT INTO webhook_stats_new (tenant_id, at, attempts, subscriptions, outcomes, classes, durations, weights)
      VALUES (v_of.tenant_id, (v_of.interrupted ->> 'at')::timestamptz, 2, ARRAY[v_of.subscription_id, v_of.subscription_id],
              ARRAY[v_of.interrupted ->> 'outcome',
                    CASE WHEN v_of.status <> 'DELIVERED' THEN v_of.interrupted ->> 'outcome'
                         WHEN v_of.number = 1 THEN 'first' ELSE 'delivered' END],
              ARRAY['other', coalesce(v_of.class, '')], ARRAY[(v_of.interrupted ->> 'ms')::integer, v_of.duration], ARRAY[-1, 1]);
  END LOOP;
END
$$`;

const MEASURE: readonly (readonly [string, string])[] = [
  [
    `     GROUP BY r.tenant_id;\n`,
    `     GROUP BY r.tenant_id;
  IF cardinality(p_moved) < cardinality(p_deliveries) THEN
    PERFORM webhook_measure_late(p_tenants, p_subscriptions, p_deliveries, p_numbers, p_statuses, p_classes, p_durations, p_moved);
  END IF;\n`,
  ],
];

const FOLD: readonly (readonly [string, string])[] = [
  [
    `count(*)::integer AS count\n      FROM taken t`,
    `sum(coalesce(u.weight, 1))::integer AS count\n      FROM taken t`,
  ],
  [
    `t.durations) AS u (subscription_id, outcome, class, duration)`,
    `t.durations, t.weights) AS u (subscription_id, outcome, class, duration, weight)`,
  ],
];

function back(changes: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return changes.map(([from, to]) => [to, from] as const);
}
