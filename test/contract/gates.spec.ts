import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import {
  circuitAfter,
  isGivenUp,
  type CircuitResult,
} from '../../src/modules/webhooks/domain/gates/circuit-after.js';
import { CIRCUIT_CASES, resultsOf } from '../../src/modules/webhooks/domain/gates/circuit-cases.js';
import {
  DEFAULT_CIRCUIT_RULE,
  isDefaultCircuit,
  shownCircuitRule,
  type CircuitRule,
} from '../../src/modules/webhooks/domain/gates/circuit-rule.js';
import {
  CLOSED_CIRCUIT,
  withoutProbe,
  withProbe,
  type Circuit,
} from '../../src/modules/webhooks/domain/gates/circuit.js';
import {
  GATE_CASES,
  NOW_MS,
  THROTTLE_CASES,
  type GateCase,
} from '../../src/modules/webhooks/domain/gates/gate-cases.js';
import { LANE_HOLD_CASES } from '../../src/modules/webhooks/domain/gates/lane-hold-cases.js';
import type { ShownLane } from '../../src/modules/webhooks/domain/gates/lane-hold.js';
import { takesBirths } from '../../src/modules/webhooks/domain/gates/fold-gates.js';
import { RATE_AHEAD_MS, rateSlots } from '../../src/modules/webhooks/domain/gates/rate-gate.js';
import { throttledAfter } from '../../src/modules/webhooks/domain/gates/throttle-gate.js';
import { toStoredRate } from '../../src/modules/webhooks/domain/subscription-settings.js';
import { heldReason } from '../../src/modules/webhooks/infrastructure/persistence/held-reason.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';
import { circuitOf, rowOf } from './circuit-row.js';

/* A row as it would be stored, and what the functions of the database make of it. */
const ASK = `
SELECT gate.granted, gate.reason, extract(epoch FROM gate.until - n.now)::float8 * 1000 AS until_ms,
       webhook_takes_births(l, $2::jsonb, n.now) AS births,
       extract(epoch FROM slots.first - n.now)::float8 * 1000 AS first_ms, extract(epoch FROM slots.step)::float8 * 1000 AS step_ms
  FROM (SELECT to_timestamp($4::float8 / 1000) AS now) AS n
 CROSS JOIN LATERAL jsonb_populate_record(NULL::webhook_lanes, $1::jsonb) AS l
 CROSS JOIN LATERAL webhook_gates(l, $2::jsonb, $3::int, n.now, $5::int * interval '1 millisecond', $6::int,
                                  to_timestamp($7::float8 / 1000), $8::int, to_timestamp($9::float8 / 1000)) AS gate
  LEFT JOIN LATERAL webhook_rate_slots(l, $2::jsonb, n.now, $5::int * interval '1 millisecond') AS slots ON true`;

const HELD = `
SELECT ${heldReason({ lane: 'l', settings: '$2::jsonb', dueAt: '$4::timestamptz', now: 'n.now', isBehind: '$5::boolean' })} AS reason
  FROM (SELECT to_timestamp($3::float8 / 1000) AS now) AS n
 CROSS JOIN LATERAL jsonb_populate_record(NULL::webhook_lanes, $1::jsonb) AS l`;

const TELL = `
SELECT to_jsonb(webhook_circuit_after(l, $2::jsonb, $3::int, $4, $5::int, $6, $7::float8, n.now)) AS lane,
       webhook_circuit_given_up(l, $3::int, $4, n.now) AS given_up
  FROM (SELECT to_timestamp($8::float8 / 1000) AS now) AS n
 CROSS JOIN LATERAL jsonb_populate_record(NULL::webhook_lanes, $1::jsonb) AS l`;

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
  const storedLane = (lane: ShownLane | GateCase['lane']): object => ({
    ...rowOf({ ...CLOSED_CIRCUIT, ...lane.circuit }),
    ...{ paused_at: lane.isPaused ? at(NOW_MS) : null, rate_next_at: at(lane.rateNextAtMs) },
    held_until: at(lane.heldUntilMs),
  });
  const ask = async ({ lane, wanted }: GateCase): Promise<unknown> => {
    const row = storedLane(lane);
    const settings = {
      ...(lane.rateLimit === null ? {} : { rate_limit: toStoredRate(lane.rateLimit) }),
      ...(lane.heads === null ? {} : { ordering: 'fifo' }),
      ...(lane.batches === null ? {} : { batch: { max_events: 10, max_wait_ms: 1_000 } }),
    };
    const rows = await dataSource.query<unknown[]>(ASK, [
      ...[row, settings, wanted, NOW_MS, RATE_AHEAD_MS, lane.heads?.due ?? null],
      ...[lane.heads?.untilMs ?? null, lane.batches?.due ?? null, lane.batches?.untilMs ?? null],
    ]);
    expect(rows).toHaveLength(1);
    return rows[0];
  };

  it.each(GATE_CASES)('$name', async (one) => {
    const slots = rateSlots(one.lane, NOW_MS);
    expect(await ask(one)).toEqual({
      ...{
        granted: one.granted,
        reason: one.reason,
        until_ms: one.untilMs,
        births: takesBirths(one.lane, NOW_MS),
      },
      first_ms: slots === null ? null : slots.firstMs - NOW_MS,
      step_ms: slots === null ? null : slots.stepMs,
    });
  });

  // Red when what is counted as held is not what is shown as held.
  it.each(LANE_HOLD_CASES)('counts as held: $name', async ({ lane, dueInMs, isBehind, reason }) => {
    const settings = {
      ...(lane.rateLimit === null ? {} : { rate_limit: toStoredRate(lane.rateLimit) }),
      ...(lane.maxWaitMs === null ? {} : { batch: { max_events: 10, max_wait_ms: lane.maxWaitMs } }),
    };
    expect(
      await dataSource.query(HELD, [
        ...[storedLane(lane), settings, NOW_MS, new Date(NOW_MS + dueInMs), isBehind],
      ]),
    ).toEqual([{ reason }]);
  });

  it.each(THROTTLE_CASES)('a hold of $heldInMs, an answer that asks for $waitMs', async (one) => {
    const rows = await dataSource.query<{ until_ms: number | null }[]>(
      `SELECT extract(epoch FROM webhook_throttle_after($1, $2::float8, n.now) - n.now)::float8 * 1000 AS until_ms
         FROM (SELECT to_timestamp($3::float8 / 1000) AS now) AS n`,
      [at(one.heldInMs === null ? null : NOW_MS + one.heldInMs), one.waitMs, NOW_MS],
    );
    expect(rows).toEqual([{ until_ms: one.untilMs }]);
    const held = one.heldInMs === null ? null : NOW_MS + one.heldInMs;
    const after = throttledAfter(held, one.waitMs, NOW_MS);
    expect(after === null ? null : after - NOW_MS).toBe(one.untilMs);
  });

  /** What the function makes of one result, which must be what the rule does. */
  const tell = async (
    circuit: Circuit,
    rule: CircuitRule,
    result: CircuitResult,
    nowMs: number,
  ): Promise<Circuit> => {
    const settings = isDefaultCircuit(rule) ? null : { circuit: shownCircuitRule(rule) };
    const { epoch, outcome, count, error, retryAfterMs } = result;
    const told = [epoch, outcome, count, error, retryAfterMs, nowMs];
    const [row] = await dataSource.query<{ lane: Parameters<typeof circuitOf>[0]; given_up: boolean }[]>(
      TELL,
      [rowOf(circuit), settings, ...told],
    );
    const expected = circuitAfter(circuit, rule, result, nowMs);
    expect({ circuit: circuitOf(row!.lane), isGivenUp: row?.given_up }).toEqual({
      circuit: expected,
      isGivenUp: isGivenUp(circuit, result, nowMs),
    });
    return expected;
  };

  it.each(CIRCUIT_CASES)('a circuit: $name', async (one) => {
    let circuit = one.circuit;
    for (const result of resultsOf(one)) circuit = await tell(circuit, one.rule, result, NOW_MS + one.inMs);
    expect(circuit).toMatchObject(one.expected);
  });

  it('a circuit: whatever comes, in whatever order', async () => {
    let [circuit, nowMs, seed] = [CLOSED_CIRCUIT, NOW_MS, 7];
    const pick = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const rule = { ...DEFAULT_CIRCUIT_RULE, failures: 4, minAttempts: 10 };
    for (let n = 0; n < 400; n += 1) {
      nowMs += pick(20) === 0 ? pick(400_000) : pick(4_000);
      const due = circuit.state !== 'closed' && (circuit.nextProbeAtMs ?? 0) <= nowMs;
      if (due) circuit = withProbe(circuit, '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22', nowMs + 15_000);
      if (circuit.probeId !== null && pick(9) === 0) circuit = withoutProbe(circuit, circuit.probeId, nowMs);
      const outcome = (['good', 'failed', 'failed', 'busy', 'nothing'] as const)[pick(5)] ?? 'good';
      const count = outcome === 'good' ? 1 + pick(7) : 1;
      const epoch = circuit.epoch - (pick(6) === 0 ? 1 : 0);
      const result = { epoch, outcome, count, error: `HTTP ${n}`, retryAfterMs: pick(90_000) };
      circuit = await tell(circuit, rule, result, nowMs);
    }
    expect(circuit.epoch).toBeGreaterThan(20);
  }, 60_000);
});
