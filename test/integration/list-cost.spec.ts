import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import type { DeliveryFilter } from '../../src/modules/webhooks/application/ports/delivery-repository.js';
import type { EventFilter } from '../../src/modules/webhooks/application/ports/event-repository.js';
import { AttemptRow } from '../../src/modules/webhooks/infrastructure/persistence/attempt.row.js';
import { DeliveryRow } from '../../src/modules/webhooks/infrastructure/persistence/delivery.row.js';
import { TypeormDeliveryRepository } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-delivery-repository.js';
import { TypeormEventRepository } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-event-repository.js';
import {
  managerOf,
  TypeormTransactions,
} from '../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { firstUuidAt } from '../../src/platform/kernel/uuid.js';
import { whatIsRead, type Reading } from '../support/rows-read.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';
import { MADE_ID, MINUTE_MS, FIRST_MS, ROWS, storeHistory, SUBSCRIPTIONS, TENANT } from './stored-history.js';

const LIMIT = 10;

/*
 * A page and the one row that tells whether another follows, twice where two indexes answer, and again where rows are read by
 * their ids; then what lies in the time by which ids and `created_at` may differ: a row for each of its minutes. The history
 * has a thousand times as many.
 */
const MOST_ROWS = 4 * (LIMIT + 1) + 130;
const MOST_PAGES = 4 * MOST_ROWS;

const dayOf = (day: number): Date => new Date(FIRST_MS + day * 24 * 60 * MINUTE_MS);
const [ofCommon = '', ofOther = ''] = SUBSCRIPTIONS;
const unknown = '01900000-0000-7000-8000-ffffffffffff';

/** Values of each filter: frequent, rare and absent ones. */
const VALUES: readonly (readonly DeliveryFilter[])[] = [
  [{ event: 'cost.common' }, { event: 'cost.other' }, { event: 'cost.rare' }, { event: 'cost.absent' }],
  [{ status: 'PENDING' }, { status: 'SENDING' }, { status: 'DELIVERED' }, { status: 'FAILED' }],
  [{ subscriptionId: ofCommon }, { subscriptionId: ofOther }, { subscriptionId: unknown }],
  [{ since: dayOf(2) }, { since: dayOf(40) }],
  [{ until: dayOf(2) }, { until: dayOf(-40) }],
  [{ errorClass: 'http_5xx' }, { errorClass: 'dns_error' }, { errorClass: 'tls_error' }],
  [{ httpClass: '2xx' }, { httpClass: '4xx' }],
  [{ q: 'R-1007' }, { q: ofCommon }],
];

/** Every filter alone, every pair, and a window. */
const FILTERS: readonly DeliveryFilter[] = [
  {},
  ...VALUES.flat(),
  ...VALUES.flatMap((of, at) =>
    VALUES.slice(at + 1).flatMap((others) =>
      of.flatMap((one) => others.map((other): DeliveryFilter => ({ ...one, ...other }))),
    ),
  ),
  { event: 'cost.rare', since: dayOf(1), until: dayOf(2) },
];

const AFTER = [null, firstUuidAt(dayOf(3))];

describeWithPostgres('what a page of a list costs', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let transactions: TypeormTransactions;
  const deliveries = new TypeormDeliveryRepository();
  const events = new TypeormEventRepository();

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource({
      ...dataSourceOptions(database.url, 2),
      entities: [DeliveryRow, AttemptRow],
    }).initialize();
    transactions = new TypeormTransactions(new TenantTransaction(dataSource));
  }, 180_000);

  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const listed = async (
    filter: DeliveryFilter,
    afterId: string | null,
  ): Promise<{ ids: string[]; read: Reading }> =>
    transactions.run(TENANT, async (transaction) => {
      const { answer, read } = await whatIsRead(
        (sql, parameters) => managerOf(transaction).query(sql, parameters),
        ['webhook_deliveries'],
        () => deliveries.list(transaction, filter, LIMIT, afterId),
      );
      return { ids: answer.deliveries.map(({ id }) => id), read };
    });

  const listedEvents = async (
    filter: EventFilter,
    afterId: string | null,
  ): Promise<{ ids: string[]; read: Reading }> =>
    transactions.run(TENANT, async (transaction) => {
      const { answer, read } = await whatIsRead(
        (sql, parameters) => managerOf(transaction).query(sql, parameters),
        ['webhook_events', 'webhook_deliveries'],
        () => events.list(transaction, filter, LIMIT, afterId),
      );
      return { ids: answer.events.map(({ id }) => id), read };
    });

  /** What is dear, with what it read; one look at all of them says more than the first. */
  async function dearFilters(): Promise<string[]> {
    const dear: string[] = [];
    const look = (name: string, { rows, pages }: Reading): void => {
      if (rows > MOST_ROWS || pages > MOST_PAGES) dear.push(`${name}: ${rows} rows, ${pages} pages`);
    };
    for (const afterId of AFTER) {
      for (const filter of FILTERS) {
        const name = `${JSON.stringify(filter)} after ${afterId}`;
        look(`deliveries ${name}`, (await listed(filter, afterId)).read);
        const { event, since, until } = filter;
        if (Object.keys(filter).some((name) => !['event', 'since', 'until'].includes(name))) continue;
        look(`events ${name}`, (await listedEvents({ event, since, until }, afterId)).read);
      }
    }
    return dear;
  }

  it('is next to nothing on empty tables', async () => {
    expect(await dearFilters()).toEqual([]);
  });

  describe(`among ${ROWS} finished deliveries`, () => {
    beforeAll(async () => {
      await storeHistory(dataSource);
    }, 120_000);

    // As the database has them a minute after so many changes: it gathers statistics by itself.
    it('does not depend on them, whatever the filter and pair of filters', async () => {
      await dataSource.query('VACUUM ANALYZE webhook_deliveries, webhook_events');
      expect(await dearFilters()).toEqual([]);
    });

    it('and the page is the one that was asked for', async () => {
      const all = await dataSource.query<Stored[]>(
        `SELECT d.id, d.event, d.status, d.subscription_id, d.created_at, d.event_id, e.resource_id,
                d.last_error_class, d.last_status_code
           FROM webhook_deliveries d JOIN webhook_events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
          WHERE d.tenant_id = $1 ORDER BY d.id DESC`,
        [TENANT],
      );
      for (const afterId of AFTER) {
        for (const filter of FILTERS) {
          const expected = all.filter((row) => isOf(row, filter) && (afterId === null || row.id < afterId));
          const { ids } = await listed(filter, afterId);
          expect({ filter, ids }).toEqual({ filter, ids: expected.slice(0, LIMIT).map(({ id }) => id) });
        }
      }
    });

    // Red when all that the tenant has is passed over for what is about a thing, or all of its events are asked.
    it('is bounded for a resource with very many events', async () => {
      const { ids, read } = await listed({ q: 'often' }, null);
      expect(ids).toHaveLength(LIMIT);
      expect(read.rows).toBeLessThan(3_000);
    });

    // Red when `until` is taken for a bound of the ids as it is: they are made later than the transaction began.
    it('finds what a transaction stored minutes after it had begun', async () => {
      const [late] = await dataSource.query<{ id: string }[]>(
        `INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url, status, created_at)
         SELECT 'late', ${MADE_ID('$1::bigint')}, gen_random_uuid(), gen_random_uuid(), 'cost.late', 'https://a.example.com/',
                'DELIVERED', to_timestamp(($1::bigint - 300000) / 1000.0)
         RETURNING id`,
        [dayOf(2).getTime()],
      );
      const { deliveries: found } = await transactions.run('late', (transaction) =>
        deliveries.list(transaction, { until: new Date(dayOf(2).getTime() - 60_000) }, LIMIT, null),
      );
      expect(found.map(({ id }) => id)).toEqual([late?.id]);
    });
  });
});

interface Stored {
  readonly id: string;
  readonly event: string;
  readonly status: string;
  readonly subscription_id: string;
  readonly created_at: Date;
  readonly event_id: string;
  readonly resource_id: string | null;
  readonly last_error_class: string | null;
  readonly last_status_code: number | null;
}

function isOf(row: Stored, filter: DeliveryFilter): boolean {
  const { event, status, subscriptionId, since, until, errorClass, httpClass, q } = filter;
  return (
    (event === undefined || row.event === event) &&
    (status === undefined || row.status === status) &&
    (subscriptionId === undefined || row.subscription_id === subscriptionId) &&
    (errorClass === undefined || row.last_error_class === errorClass) &&
    (httpClass === undefined || String(row.last_status_code ?? '').startsWith(httpClass[0] ?? '')) &&
    (q === undefined || [row.id, row.event_id, row.subscription_id, row.resource_id].includes(q)) &&
    (since === undefined || row.created_at >= since) &&
    (until === undefined || row.created_at < until)
  );
}
