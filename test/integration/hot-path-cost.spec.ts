import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import type { OpenedLane } from '../../src/modules/webhooks/application/ports/delivery-lanes.js';
import { acceptEvents } from '../../src/modules/webhooks/infrastructure/persistence/accept-events.js';
import { claimDeliveries } from '../../src/modules/webhooks/infrastructure/persistence/claim-deliveries.js';
import { HotStatements } from '../../src/modules/webhooks/infrastructure/persistence/hot-statements.js';
import { LeaseOwner } from '../../src/modules/webhooks/infrastructure/persistence/lease-owner.js';
import { recordAttempts } from '../../src/modules/webhooks/infrastructure/persistence/record-attempts.js';
import { SubscriptionRow } from '../../src/modules/webhooks/infrastructure/persistence/subscription.row.js';
import {
  findDueLanes,
  reclaimExpired,
} from '../../src/modules/webhooks/infrastructure/persistence/sweep-deliveries.js';
import { TypeormSubscriptionRepository } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-subscription-repository.js';
import { TypeormTransactions } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { WALK_START } from '../../src/modules/webhooks/infrastructure/persistence/waiting-lanes.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { UuidV7Generator } from '../../src/platform/kernel/uuid.js';
import { resultOf } from '../contract/persistence/attempts.js';
import { whatIsRead, type Reading } from '../support/rows-read.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';
import { storeHistory, SUBSCRIPTIONS, TENANT } from './stored-history.js';

const TABLES = ['webhook_deliveries', 'webhook_events', 'webhook_attempts'];

/** Events of one statement, each with one delivery. */
const BATCH = 40;

/**
 * Rows read for a delivery, and pages of tables and indexes, in all: a handful of lookups by key and the writes. The history
 * that they must not touch has thousands of rows.
 */
const MOST_ROWS = 8 * BATCH;
const MOST_PAGES = 250 * BATCH;

/** In a transaction of its own each, whose counters are read before it ends. */
class CountedStatements extends HotStatements {
  last: Reading | null = null;
  tables: readonly string[] = TABLES;

  constructor(private readonly database: DataSource) {
    super(database);
  }

  override async run<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    return this.database.transaction(async (manager) => {
      const { answer, read } = await whatIsRead(
        (text, values) => manager.query(text, values),
        this.tables,
        () => manager.query<Row[]>(sql, parameters),
      );
      this.last = read;
      return answer;
    });
  }
}

/*
 * One connection for all of it, as in a process that has been running since the tables were empty: what was planned then is
 * what runs later.
 */
describeWithPostgres('what a delivery reads on its way', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let statements: CountedStatements;
  let worker: WorkerTransaction;
  const ids = new UuidV7Generator();
  const [dead, living] = [new LeaseOwner(ids), new LeaseOwner(ids)];
  const lane = { tenantId: TENANT, subscriptionId: SUBSCRIPTIONS[0] ?? '' };
  const lease = { token: ids.next(), owner: dead.id, ms: 3_600_000, marginMs: 5_000 };
  let events = 0;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource({
      ...dataSourceOptions(database.url, 1),
      entities: [SubscriptionRow],
    }).initialize();
    statements = new CountedStatements(dataSource);
    worker = new WorkerTransaction(dataSource);
    for (const table of TABLES) {
      await dataSource.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
    }
    await new TypeormTransactions(new TenantTransaction(dataSource)).run(TENANT, (transaction) =>
      new TypeormSubscriptionRepository().insert(transaction, {
        id: lane.subscriptionId,
        tenantId: TENANT,
        events: ['cost.common', 'cost.rare'],
        url: 'https://hooks.customer.com/in',
        sealedSecret: 'sealed',
      }),
    );
  }, 180_000);

  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  async function accept(places: number | null, event = 'cost.common', firstKey = events + 1): Promise<void> {
    events = Math.max(events, firstKey + BATCH - 1);
    const batch = Array.from({ length: BATCH }, (_, n) => ({
      id: ids.next(),
      tenantId: TENANT,
      event,
      patterns: [event, 'cost.*', '*'],
      payload: '{}',
      fingerprint: 'f',
      idempotencyKey: `key ${firstKey + n}`,
      requestedBy: { subject: 'ana', requestId: 'r' },
    }));
    await acceptEvents(statements, batch, {
      lanes: [],
      unknownPlaces: places,
      perLane: 1_000,
      most: 128,
      lease,
    });
  }

  async function claim(limit = BATCH): Promise<OpenedLane> {
    const [claimed] = await claimDeliveries(statements, [{ lane, wish: { limit } }], lease, {
      perLane: 10_000,
      retriesPerLane: 10_000,
    });
    return claimed ?? { claims: [], rest: { kind: 'busy' } };
  }

  /** Everything that happens to a batch, with what each step of it read. */
  async function goThrough(): Promise<Readonly<Record<string, Reading | null>>> {
    const steps: Record<string, Reading | null> = {};
    await accept(BATCH);
    steps['born claimed'] = statements.last;
    await accept(null);
    steps['accept'] = statements.last;
    await accept(null, 'cost.common', events - BATCH + 1);
    steps['asked for again'] = statements.last;
    await accept(null, 'cost.of_nobody');
    steps['for nobody'] = statements.last;
    await accept(null, 'cost.of_nobody', events - BATCH + 1);
    steps['for nobody, again'] = statements.last;
    const { claims } = await claim();
    steps['claim'] = statements.last;
    expect(claims).toHaveLength(BATCH);
    await recordAttempts(
      statements,
      claims.map((one) => resultOf(one)),
    );
    steps['settle'] = statements.last;
    // Those that were born claimed belong to a process that never gave a sign of life.
    await worker.run(async (manager) => {
      const query = (sql: string, values: unknown[]): Promise<unknown> => manager.query(sql, values);
      const reclaim = await whatIsRead(query, TABLES, () => reclaimExpired(manager, 3, living));
      expect(reclaim.answer).toEqual({ count: BATCH, lanes: [lane] });
      steps['reclaim'] = reclaim.read;
      const most = { lanes: 100, looks: 1_000 };
      steps['find due lanes'] = (
        await whatIsRead(query, TABLES, () => findDueLanes(manager, WALK_START, most))
      ).read;
    });
    // Nothing is left for the next round.
    const rest = await claim();
    await recordAttempts(
      statements,
      rest.claims.map((one) => resultOf(one)),
    );
    return steps;
  }

  function dear(steps: Readonly<Record<string, Reading | null>>): string[] {
    return Object.entries(steps).flatMap(([name, read]) => {
      const isDear = read === null || read.rows > MOST_ROWS || read.pages > MOST_PAGES;
      // The sweep is planned each time, and may read as a whole what is a page or two.
      const isWhole = (read?.wholeReads ?? 0) > 0 && !['reclaim', 'find due lanes'].includes(name);
      return isDear || isWhole ? [`${name}: ${JSON.stringify(read)}`] : [];
    });
  }

  it('is a handful of rows on empty tables', async () => {
    expect(dear(await goThrough())).toEqual([]);
  });

  it('is the same while they grow, without statistics', async () => {
    await storeHistory(dataSource, 10_000);
    await dataSource.query(
      `INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, request_headers)
       SELECT tenant_id, id, 1, 'auto', created_at, 1, '{}' FROM webhook_deliveries WHERE status <> 'PENDING'
       ON CONFLICT DO NOTHING`,
    );
    expect(dear(await goThrough())).toEqual([]);
  });

  it('is the same with statistics', async () => {
    await dataSource.query(`ANALYZE ${TABLES.join(', ')}`);
    expect(dear(await goThrough())).toEqual([]);
  });

  /*
   * As every database is whose statistics were gathered in a quiet hour: where nothing is open, an index of what is open seems
   * to be had for nothing, whatever it leads with. Red when one can serve the engine that does not lead with the lane.
   */
  it('is the same when the statistics know of nothing open', async () => {
    await dataSource.query(
      `UPDATE webhook_deliveries SET status = 'DELIVERED', next_attempt_at = NULL WHERE status = 'PENDING'`,
    );
    await dataSource.query(`VACUUM ANALYZE ${TABLES.join(', ')}`);
    await goThrough();
    // Another lane has a backlog.
    await dataSource.query(
      `UPDATE webhook_deliveries SET status = 'PENDING', next_attempt_at = now() WHERE id IN (
         SELECT id FROM webhook_deliveries WHERE subscription_id = $1 AND status = 'FAILED' LIMIT 2000)`,
      [SUBSCRIPTIONS[1]],
    );
    expect(dear(await goThrough())).toEqual([]);
  });

  // Red when the planner may gather all that waits behind a lane, to sort it, where one probe of the index would do.
  it('finds lanes with something due by a few pages for each, however much waits', async () => {
    const lanes = 300;
    // Statistics of an hour in which a handful waited.
    await dataSource.query(
      `UPDATE webhook_deliveries SET status = 'DELIVERED', next_attempt_at = NULL WHERE status = 'PENDING'`,
    );
    await dataSource.query(
      `UPDATE webhook_deliveries SET status = 'PENDING', next_attempt_at = now()
        WHERE id IN (SELECT id FROM webhook_deliveries WHERE status = 'FAILED' LIMIT 6)`,
    );
    await dataSource.query(`VACUUM ANALYZE ${TABLES.join(', ')}`);
    await dataSource.query(
      `UPDATE webhook_deliveries d SET status = 'PENDING', next_attempt_at = now() - interval '1 hour', subscription_id = l.id
         FROM (SELECT id AS delivery, ('01950000-0000-7000-8000-' || lpad((row_number() OVER () % $1)::text, 12, '0'))::uuid AS id
                 FROM (SELECT id FROM webhook_deliveries WHERE status = 'FAILED' LIMIT 1500) AS few) AS l
        WHERE d.id = l.delivery`,
      [lanes],
    );
    await worker.run(async (manager) => {
      const query = (sql: string, values: unknown[]): Promise<unknown> => manager.query(sql, values);
      const most = { lanes: 1_000, looks: 1_000 };
      const { answer, read } = await whatIsRead(query, TABLES, () => findDueLanes(manager, WALK_START, most));
      expect(answer.lanes.length).toBeGreaterThanOrEqual(lanes);
      expect(read.pages).toBeLessThan(20 * lanes);
      // Which plan it is depends on a hair's breadth of estimated costs, so what rules the other one out is looked at as well.
      const [planner] = await manager.query<unknown[]>(
        `SELECT current_setting('enable_bitmapscan') AS bitmaps`,
      );
      expect(planner).toEqual({ bitmaps: 'off' });
    });
  });

  // Red when a sweep, or a look at the backlog, goes through all endpoints that wait: each may have a retry due in an hour.
  it('looks at so many lanes at most, and comes to all of them in the end', async () => {
    const most = { lanes: 1_000, looks: 40 };
    const pages = 12 * most.looks;
    const due = '01950000-0000-7000-8000-000000000150';
    await dataSource.query(
      `UPDATE webhook_deliveries SET next_attempt_at = now() + interval '1 hour'
        WHERE status = 'PENDING' AND subscription_id <> $1`,
      [due],
    );
    await worker.run(async (manager) => {
      const query = (sql: string, values: unknown[]): Promise<unknown> => manager.query(sql, values);
      const [{ waiting }] = await manager.query<[{ waiting: number }]>(
        `SELECT count(DISTINCT (subscription_id, is_retry))::int AS waiting FROM webhook_deliveries WHERE status = 'PENDING'`,
      );
      expect(waiting).toBeGreaterThan(5 * most.looks);
      const found: string[] = [];
      let from = WALK_START;
      let sweeps = 0;
      do {
        const { answer, read } = await whatIsRead(query, TABLES, () => findDueLanes(manager, from, most));
        expect(read.pages).toBeLessThan(pages);
        found.push(...answer.lanes.map(({ subscriptionId }) => subscriptionId));
        from = answer.sweptUpTo;
        sweeps += 1;
      } while (from !== WALK_START);
      expect(found).toEqual([due]);
      expect(sweeps).toBe(Math.floor(waiting / most.looks) + 1);
    });
  });

  // Red when what goes well is counted in the lane's row, or a claim writes it where no gate has a say.
  it('writes nothing of a lane that does well', async () => {
    const version = async (): Promise<unknown> =>
      dataSource.query('SELECT xmin FROM webhook_lanes WHERE subscription_id = $1', [lane.subscriptionId]);
    const before = await version();
    await goThrough();
    expect(await version()).toEqual(before);
  });

  // Red when the planner may put what is left in a lane behind what was claimed from it: then it is looked up for each delivery.
  it('looks at what is left in a lane once, however much is claimed from it', async () => {
    const scans = async (count: number): Promise<number | undefined> => {
      await dataSource.query(
        `UPDATE webhook_deliveries SET status = 'PENDING', next_attempt_at = now() WHERE id IN (
           SELECT id FROM webhook_deliveries WHERE subscription_id = $1 AND status = 'DELIVERED' LIMIT $2)`,
        [lane.subscriptionId, count],
      );
      statements.tables = ['webhook_deliveries_due_ix'];
      const { claims } = await claim(count);
      expect(claims).toHaveLength(count);
      const looked = statements.last?.wholeReads;
      statements.tables = TABLES;
      await recordAttempts(
        statements,
        claims.map((one) => resultOf(one)),
      );
      return looked;
    };
    expect(await scans(60)).toBe(await scans(2));
  });

  // Red when all subscriptions of a tenant are read, or looked at one by one, to find the few that listen.
  it('emits to who listens, however many subscriptions the tenant has', async () => {
    const rowsOfEmit = async (): Promise<number> =>
      dataSource.transaction(async (manager) => {
        const query = (sql: string, values: unknown[]): Promise<unknown> => manager.query(sql, values);
        const { answer, read } = await whatIsRead(
          query,
          ['webhook_subscriptions', 'webhook_subscription_events'],
          () =>
            manager.query<{ subscription_ids: string[] }[]>(
              `SELECT * FROM webhook_emit($1, $2, 'cost.rare', ARRAY['cost.rare', 'cost.*', '*'], '{}', NULL, NULL, false, NULL, NULL, NULL)`,
              [TENANT, ids.next()],
            ),
        );
        expect(answer[0]?.subscription_ids).toEqual([lane.subscriptionId]);
        return read.rows;
      });
    await dataSource.query(
      `INSERT INTO webhook_subscriptions (tenant_id, id, event, url, secret)
       SELECT $1, webhook_uuid_v7(), 'cost.of' || n, 'https://hooks.customer.com/' || n, 'sealed' FROM generate_series(1, 300) AS n`,
      [TENANT],
    );
    // A plan of its own for the first calls, and then one for all.
    for (let n = 0; n < 7; n += 1) expect(await rowsOfEmit()).toBeLessThan(20);
    await dataSource.query('ANALYZE webhook_subscriptions, webhook_subscription_events');
    for (let n = 0; n < 7; n += 1) expect(await rowsOfEmit()).toBeLessThan(20);
  });

  it('would show here if a statement did not go by its key', async () => {
    const [row] = await dataSource.query<{ text: string }[]>(
      `SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE proname = 'webhook_claim'
        ORDER BY pronargs DESC LIMIT 1`,
    );
    const spoilt = row?.text.replace(
      'd.event_id = p.event_id AND',
      'd.event_id::text = p.event_id::text AND',
    );
    expect(spoilt).not.toBe(row?.text);
    await dataSource.query(spoilt ?? '');
    await accept(null);
    await claim();
    expect(dear({ claim: statements.last })).not.toEqual([]);
  });
});
