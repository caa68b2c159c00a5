import { Injectable } from '@nestjs/common';

import { AttemptStatistics } from '../../application/ports/attempt-statistics.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { AttemptOutcome, CountedAttempts } from '../../domain/statistics.js';
import { MINUTES_KEPT_MS, type StatisticsRange } from '../../domain/statistics-range.js';
import { managerOf } from './typeorm-transactions.js';
import { WorkerTransaction } from './worker-transaction.js';

/** The subscription of the rollups of a whole tenant. */
const ALL = '00000000-0000-0000-0000-000000000000';

/** Attempts of one step of folding: some tenths of a second. */
const FOLDED_AT_ONCE = 100_000;

/** Rollups that one step removes. */
const FORGOTTEN_AT_ONCE = 2_000;

/** Days that hours are kept. */
const HOURS_KEPT_DAYS = 400;

/* One statement, so of one moment: what is folded meanwhile is either still new or already in a rollup. */
const COUNTED = `
WITH measured AS (
  SELECT b.start, b.outcome, b.error_class, u.ms, u.count
    FROM webhook_stats b CROSS JOIN LATERAL unnest(b.durations, b.counts) AS u (ms, count)
   WHERE b.tenant_id = $1 AND b.width = $2::smallint AND b.subscription_id = $3 AND b.start >= $4 AND b.start < $5
  UNION ALL
  SELECT date_trunc(CASE $2::smallint WHEN 60 THEN 'hour' ELSE 'minute' END, n.at), u.outcome, u.class, webhook_duration_step(u.ms), coalesce(u.weight, 1)
    FROM webhook_stats_new n CROSS JOIN LATERAL unnest(n.subscriptions, n.outcomes, n.classes, n.durations, n.weights)
         AS u (subscription_id, outcome, class, ms, weight)
   WHERE n.tenant_id = $1 AND n.at >= $4 AND n.at < $5 AND ($3 = '${ALL}'::uuid OR u.subscription_id = $3)
)
SELECT floor(extract(epoch FROM m.start) * 1000 / $6::float8)::float8 * $6::float8 AS start_ms, m.outcome, m.error_class, m.ms,
       sum(m.count)::float8 AS count
  FROM measured m GROUP BY 1, 2, 3, 4 HAVING sum(m.count) <> 0`;

const FORGET = `
WITH gone AS (
  DELETE FROM webhook_stats b USING (
    (SELECT tenant_id, width, subscription_id, start, outcome, error_class FROM webhook_stats
      WHERE width = 1 AND start < now() - $1::int * interval '1 millisecond' LIMIT $3)
    UNION ALL
    (SELECT tenant_id, width, subscription_id, start, outcome, error_class FROM webhook_stats
      WHERE width = 60 AND start < now() - $2::int * interval '1 day' LIMIT $3)
  ) AS o
   WHERE b.tenant_id = o.tenant_id AND b.width = o.width AND b.subscription_id = o.subscription_id AND b.start = o.start
     AND b.outcome = o.outcome AND b.error_class = o.error_class
  RETURNING 1
)
SELECT count(*)::int AS count FROM gone`;

interface CountedRow {
  readonly start_ms: number;
  readonly outcome: AttemptOutcome;
  readonly error_class: string;
  readonly ms: number;
  readonly count: number;
}

@Injectable()
export class TypeormAttemptStatistics extends AttemptStatistics {
  constructor(private readonly worker: WorkerTransaction) {
    super();
  }

  override async counted(
    transaction: Transaction,
    { width, fromMs, toMs, stepMs }: StatisticsRange,
    subscriptionId: string | null,
  ): Promise<readonly CountedAttempts[]> {
    const rows = await managerOf(transaction).query<CountedRow[]>(COUNTED, [
      ...[transaction.tenantId, width, subscriptionId ?? ALL],
      ...[new Date(fromMs), new Date(toMs), stepMs],
    ]);
    return rows.map(({ start_ms: startMs, outcome, error_class: errorClass, ms: durationMs, count }) => ({
      ...{ startMs, outcome, errorClass, durationMs, count },
    }));
  }

  override async fold(): Promise<boolean> {
    const rows = await this.worker.run((manager) =>
      manager.query<{ folded: number }[]>('SELECT webhook_fold_stats($1) AS folded', [FOLDED_AT_ONCE]),
    );
    return (rows[0]?.folded ?? 0) > 0;
  }

  /** A day more than what may be asked for, so that a question never meets half of what it asks about. */
  override async forget(): Promise<boolean> {
    const rows = await this.worker.run((manager) =>
      manager.query<{ count: number }[]>(FORGET, [
        ...[MINUTES_KEPT_MS + 3_600_000, HOURS_KEPT_DAYS, FORGOTTEN_AT_ONCE],
      ]),
    );
    return (rows[0]?.count ?? 0) >= FORGOTTEN_AT_ONCE;
  }
}
