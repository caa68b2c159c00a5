import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { GATE_CASES, NOW_MS, type GateCase } from '../../src/modules/webhooks/domain/gates/gate-cases.js';
import { takesBirths } from '../../src/modules/webhooks/domain/gates/fold-gates.js';
import { RATE_AHEAD_MS, rateSlots } from '../../src/modules/webhooks/domain/gates/rate-gate.js';
import { toStoredRate } from '../../src/modules/webhooks/domain/subscription-settings.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';

/* A row as it would be stored, and what the functions of the database make of it. */
const ASK = `
SELECT gate.granted, gate.reason, extract(epoch FROM gate.until - n.now)::float8 * 1000 AS until_ms,
       webhook_takes_births(l, $2::jsonb) AS births,
       extract(epoch FROM slots.first - n.now)::float8 * 1000 AS first_ms, extract(epoch FROM slots.step)::float8 * 1000 AS step_ms
  FROM (SELECT to_timestamp($4::float8 / 1000) AS now) AS n
 CROSS JOIN LATERAL jsonb_populate_record(NULL::webhook_lanes, $1::jsonb) AS l
 CROSS JOIN LATERAL webhook_gates(l, $2::jsonb, $3::int, n.now, $5::int * interval '1 millisecond') AS gate
  LEFT JOIN LATERAL webhook_rate_slots(l, $2::jsonb, n.now, $5::int * interval '1 millisecond') AS slots ON true`;

describeWithPostgres('the gates of the database say what the rules say', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource(dataSourceOptions(database.url, 1)).initialize();
  }, 180_000);

  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const ask = async ({ lane, wanted }: GateCase): Promise<unknown> => {
    const row = { paused_at: lane.isPaused ? at(NOW_MS) : null, rate_next_at: at(lane.rateNextAtMs) };
    const settings = lane.rateLimit === null ? null : { rate_limit: toStoredRate(lane.rateLimit) };
    const rows = await dataSource.query<unknown[]>(ASK, [row, settings, wanted, NOW_MS, RATE_AHEAD_MS]);
    expect(rows).toHaveLength(1);
    return rows[0];
  };

  it.each(GATE_CASES)('$name', async (one) => {
    const slots = rateSlots(one.lane, NOW_MS);
    expect(await ask(one)).toEqual({
      ...{ granted: one.granted, reason: one.reason, until_ms: one.untilMs, births: takesBirths(one.lane) },
      first_ms: slots === null ? null : slots.firstMs - NOW_MS,
      step_ms: slots === null ? null : slots.stepMs,
    });
  });
});
