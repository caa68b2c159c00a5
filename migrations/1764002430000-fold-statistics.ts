import type { MigrationInterface, QueryRunner } from 'typeorm';

import { FOLD as FOLD_BEFORE, MEASURE as MEASURE_BEFORE } from './1764002420000-statistics.js';

/**
 * Folds by attempts and no longer by rows, so that many small settlements are folded together: attempts of one minute and
 * endpoint are then one change of a rollup, and with thousands of tenants that was most of the cost.
 */
export class FoldStatistics1764002430000 implements MigrationInterface {
  name = 'FoldStatistics1764002430000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [COLUMN, MEASURE, FOLD]) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [FOLD_BEFORE, MEASURE_BEFORE]) await queryRunner.query(replacing(statement));
    await queryRunner.query('ALTER TABLE webhook_stats_new DROP COLUMN attempts');
  }
}

const COLUMN = `ALTER TABLE webhook_stats_new ADD COLUMN attempts integer NOT NULL DEFAULT 1`;

const MEASURE = changed(MEASURE_BEFORE, [
  ['INSERT INTO webhook_stats_new (tenant_id, ', 'INSERT INTO webhook_stats_new (tenant_id, attempts, '],
  ['SELECT r.tenant_id, array_agg', 'SELECT r.tenant_id, count(*), array_agg'],
]);

/* p_limit: attempts. Says how many rows were folded; none where another process is at it. */
const FOLD = changed(FOLD_BEFORE, [
  ['RETURN -1;', 'RETURN 0;'],
  [
    `USING (SELECT o.tenant_id, o.id FROM webhook_stats_new o LIMIT p_limit) AS o
     WHERE n.tenant_id = o.tenant_id AND n.id = o.id`,
    `USING (
      SELECT o.tenant_id, o.id, sum(o.attempts) OVER (ORDER BY o.tenant_id, o.id) - o.attempts AS before
        FROM (SELECT f.tenant_id, f.id, f.attempts FROM webhook_stats_new f LIMIT 20000) AS o
    ) AS o
     WHERE n.tenant_id = o.tenant_id AND n.id = o.id AND o.before < p_limit`,
  ],
]);

function changed(text: string, changes: readonly (readonly [string, string])[]): string {
  return replacing(
    changes.reduce((now, [from, to]) => {
      if (now.split(from).length !== 2)
        throw new Error(`the function is not as this migration knows it: ${from}`);
      return now.replace(from, to);
    }, text),
  );
}

function replacing(create: string): string {
  return create.replace('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION');
}
