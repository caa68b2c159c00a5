import pg from 'pg';

import type { BenchLab, BenchLane } from './bench-lab.js';
import { acceptEvents } from '../src/modules/webhooks/infrastructure/persistence/accept-events.js';
import { claimDeliveries } from '../src/modules/webhooks/infrastructure/persistence/claim-deliveries.js';
import type { HotStatements } from '../src/modules/webhooks/infrastructure/persistence/hot-statements.js';
import { recordAttempts } from '../src/modules/webhooks/infrastructure/persistence/record-attempts.js';
import {
  findDueLanes,
  reclaimExpired,
} from '../src/modules/webhooks/infrastructure/persistence/sweep-deliveries.js';
import { WALK_START } from '../src/modules/webhooks/infrastructure/persistence/waiting-lanes.js';
import { UuidV7Generator } from '../src/platform/kernel/uuid.js';
import { resultOf } from '../test/contract/persistence/attempts.js';

/** Tables that grow with what was ever sent, or with endpoints. */
const GROWING = [
  'webhook_events',
  'webhook_deliveries',
  'webhook_attempts',
  'webhook_subscriptions',
  'webhook_subscription_events',
  'webhook_lanes',
];

const SCAN =
  /((?:Parallel )?Seq Scan|Index Only Scan|Index Scan|Bitmap Index Scan)(?: Backward)?(?: using (\S+))? on (\S+)/g;

/** Events of one statement. */
const BATCH = 40;

export interface HotPlan {
  readonly statement: string;
  /** Names of indexes that it went by. */
  readonly indexes: readonly string[];
  /** Tables that grow and were read as a whole. */
  readonly wholeReads: readonly string[];
  readonly ms: number;
}

/** How PostgreSQL goes about the five statements that every delivery meets, inside of their functions as well. */
export async function hotPlans(lab: BenchLab, lane: BenchLane): Promise<HotPlan[]> {
  const client = new pg.Client({ connectionString: lab.postgres.url });
  await client.connect();
  const texts: string[] = [];
  client.on('notice', ({ message }) => {
    if (message?.includes('plan:') === true) texts.push(message);
  });
  const plans: HotPlan[] = [];
  const query = async <T>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await client.query(sql, values)).rows as T[];
  const planOf = async <T>(statement: string, work: () => Promise<T>): Promise<T> => {
    texts.length = 0;
    const startedAtMs = performance.now();
    const answer = await work();
    const ms = performance.now() - startedAtMs;
    const scans = texts.flatMap((text) => [...text.matchAll(SCAN)]);
    const indexes = scans.flatMap(([, kind, using, on]) => (kind === 'Bitmap Index Scan' ? [on] : [using]));
    plans.push({
      statement,
      indexes: [...new Set(indexes.filter((name) => name !== undefined))].sort(),
      wholeReads: [
        ...new Set(
          scans.flatMap(([, kind, , on = '']) =>
            kind?.endsWith('Seq Scan') === true && GROWING.includes(on) ? [on] : [],
          ),
        ),
      ],
      ms,
    });
    return answer;
  };
  try {
    await client.query(
      `LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
       SET auto_explain.log_level = notice; SET client_min_messages = notice`,
    );
    const statements = { run: query } as unknown as HotStatements;
    const manager = { query } as never;
    const ids = new UuidV7Generator();
    const lease = { token: ids.next(), owner: ids.next(), ms: 3_600_000, marginMs: 5_000 };
    const events = Array.from({ length: BATCH }, () => ({
      id: ids.next(),
      tenantId: lane.tenantId,
      event: lane.event,
      patterns: [lane.event, '*'],
      payload: '{}',
      fingerprint: 'f',
      idempotencyKey: ids.next(),
      requestedBy: { subject: 'bench', requestId: null },
    }));
    await client.query('BEGIN');
    await planOf('accept', () =>
      acceptEvents(statements, events, { lanes: [], unknownPlaces: null, perLane: 1_000, most: 128, lease }),
    );
    const [opened] = await planOf('claim', () =>
      claimDeliveries(statements, [{ lane, wish: { limit: BATCH } }], lease, {
        perLane: 1_000,
        retriesPerLane: 1_000,
      }),
    );
    const claims = opened?.claims ?? [];
    if (claims.length !== BATCH) throw new Error(`claimed ${claims.length} of ${BATCH} deliveries`);
    await planOf('settle', () =>
      recordAttempts(
        statements,
        claims.map((claim) => resultOf(claim)),
      ),
    );
    await planOf('sweep: expired leases', () =>
      reclaimExpired(manager, 3, { id: ids.next(), aliveMs: 4_500 }),
    );
    await planOf('sweep: due lanes', () =>
      findDueLanes(manager, WALK_START, { lanes: 1_000, looks: 10_000 }),
    );
    await client.query('ROLLBACK');
    return plans;
  } finally {
    await client.end();
  }
}
