import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';

import { TypeormExpiredHistory } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-expired-history.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { EmbeddedDatabase } from '../../src/platform/database/embedded-database.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { ApiClient, signToken } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from '../support/receiver.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { prepareEmbeddedFiles } from '../support/embedded-files.js';
import { describeWithPostgres } from '../support/servers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

/** `count` events of one day, `age` days old, each with one delivery of the status and its attempt. */
const FILL = `
WITH event AS (
  INSERT INTO webhook_events (tenant_id, id, event, payload, created_at)
    SELECT $1, gen_random_uuid(), 'thing.done', '{"n":1}', now() - $2::int * interval '1 day'
      FROM generate_series(1, $3::int)
  RETURNING *
), delivery AS (
  INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, status, attempts, target_url, created_at)
    SELECT tenant_id, gen_random_uuid(), id, gen_random_uuid(), event, $4, 1, 'https://hooks.customer.com/', created_at
      FROM event
  RETURNING *
)
INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, request_headers)
  SELECT tenant_id, id, 1, 'auto', created_at, 5, '{}' FROM delivery`;

const COUNTS = `
SELECT (SELECT count(*)::int FROM webhook_events) AS events, (SELECT count(*)::int FROM webhook_deliveries) AS deliveries,
       (SELECT count(*)::int FROM webhook_attempts) AS attempts,
       (SELECT count(*)::int FROM webhook_events WHERE payload IS NULL) AS bare`;

async function filled(
  dataSource: DataSource,
  rows: [tenant: string, age: number, count: number, status: string][],
) {
  await dataSource.query('TRUNCATE webhook_attempts, webhook_deliveries, webhook_events');
  for (const row of rows) await dataSource.query(FILL, row);
}

async function countsOf(dataSource: DataSource): Promise<object> {
  const [counts] = await dataSource.query<object[]>(COUNTS);
  return counts!;
}

/** The storage of one process. */
async function open(url: string): Promise<{ dataSource: DataSource; history: TypeormExpiredHistory }> {
  const dataSource = await new DataSource(dataSourceOptions(url, 4)).initialize();
  return { dataSource, history: new TypeormExpiredHistory(new WorkerTransaction(dataSource)) };
}

async function removesOldAlone(dataSource: DataSource, history: TypeormExpiredHistory): Promise<void> {
  await filled(dataSource, [
    ['acme', 100, 30, 'DELIVERED'],
    ['beta', 95, 20, 'FAILED'],
    ['acme', 91, 3, 'PENDING'],
    ['beta', 92, 2, 'SENDING'],
    ['acme', 50, 7, 'DELIVERED'],
    ['beta', 89, 5, 'FAILED'],
  ]);
  expect(await history.removePayloads(60, 40)).toBe(40);
  expect(await history.removePayloads(60, 40)).toBe(15);
  expect(await history.removePayloads(60, 40)).toBe(0);
  expect(await countsOf(dataSource)).toEqual({ events: 67, deliveries: 67, attempts: 67, bare: 55 });
  expect(await history.remove(90, 40)).toEqual({ events: 40, deliveries: 40 });
  expect(await history.remove(90, 40)).toEqual({ events: 10, deliveries: 10 });
  expect(await history.remove(90, 40)).toEqual({ events: 0, deliveries: 0 });
  expect(await countsOf(dataSource)).toEqual({ events: 17, deliveries: 17, attempts: 17, bare: 5 });
}

describeWithPostgres('retention on PostgreSQL', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let history: TypeormExpiredHistory;
  let second: Awaited<ReturnType<typeof open>>;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    ({ dataSource, history } = await open(database.url));
    second = await open(database.url);
  }, 180_000);
  afterAll(async () => {
    await dataSource?.destroy();
    await second?.dataSource.destroy();
    await database?.drop();
  });

  it('removes what is old and finished, of every tenant', async () => {
    await removesOldAlone(dataSource, history);
  });

  // Red without the advisory lock: the second one works as well instead of leaving it to the first.
  it('is done by one process at a time', async () => {
    await filled(dataSource, [['acme', 100, 50, 'DELIVERED']]);
    const row = await lockedRow(database.url);
    // The first one waits for a row that is locked, with the batch begun.
    const first = history.remove(90, 100);
    await eventually(async () => expect(await waiting(dataSource)).toBe(1));
    expect(await second.history.remove(90, 100)).toBeNull();
    expect(await second.history.removePayloads(90, 100)).toBeNull();
    await row.letGo();
    expect(await first).toEqual({ events: 50, deliveries: 50 });
    expect(await second.history.remove(90, 100)).toEqual({ events: 0, deliveries: 0 });
  });

  it('removes everything once when two processes start together', async () => {
    await filled(dataSource, [['acme', 100, 500, 'DELIVERED']]);
    const both = [history, second.history].map(async (one) => {
      let events = 0;
      // Null while the other one is at it.
      await eventually(async () => {
        const batch = await one.remove(90, 20);
        events += batch?.events ?? 0;
        expect(batch?.events).toBe(0);
      });
      return events;
    });
    const removed = await Promise.all(both);
    expect(removed.reduce((sum, count) => sum + count, 0)).toBe(500);
    expect(await countsOf(dataSource)).toMatchObject({ events: 0, deliveries: 0, attempts: 0 });
  });

  // Red when the status is not asked again at the delete: the retry that was accepted would vanish with its event.
  it('leaves a delivery that somebody retries at this moment, and its event', async () => {
    await filled(dataSource, [['acme', 100, 3, 'FAILED']]);
    const row = await lockedRow(database.url, `status = 'PENDING'`);
    const removing = history.remove(90, 100);
    await eventually(async () => expect(await waiting(dataSource)).toBe(1));
    await row.letGo();
    expect(await removing).toEqual({ events: 2, deliveries: 2 });
    expect(await countsOf(dataSource)).toMatchObject({ events: 1, deliveries: 1, attempts: 1 });
  });

  // Red when the event is not locked first: the delivery that a replay just added would be left without it.
  it('leaves an event that somebody replays at this moment', async () => {
    await filled(dataSource, [['acme', 100, 2, 'DELIVERED']]);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('BEGIN');
    await client.query(
      `WITH replayed AS (SELECT * FROM webhook_events LIMIT 1 FOR KEY SHARE)
       INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url)
         SELECT tenant_id, gen_random_uuid(), id, gen_random_uuid(), event, 'https://new.customer.com/' FROM replayed`,
    );
    expect(await history.remove(90, 100)).toEqual({ events: 1, deliveries: 1 });
    await client.query('COMMIT');
    await client.end();
    expect(await history.remove(90, 100)).toEqual({ events: 0, deliveries: 0 });
    expect(await countsOf(dataSource)).toMatchObject({ events: 1, deliveries: 2 });
  });

  describe('of a running service', () => {
    let server: ServerProcess;
    let receiver: Receiver;
    let api: ApiClient;

    beforeAll(async () => {
      receiver = await Receiver.start();
    });
    afterAll(async () => {
      await server?.dispose();
      await receiver?.close();
    });

    const boot = async (env: Readonly<Record<string, string>>): Promise<void> => {
      server = await startServer({
        env: {
          DATABASE_URL: database.url,
          JWT_SECRET: 'integration-secret-of-32-characters',
          WEBHOOK_ENCRYPTION_KEYS: KEYS,
          WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
          ...env,
        },
      });
      api = new ApiClient(
        server.url,
        await signToken({ secret: 'integration-secret-of-32-characters', tenantId: 'acme' }),
      );
    };
    const KEYS = `k1:${randomBytes(32).toString('base64')}`;

    it('removes by itself after the default of 90 days, says and counts it, and stops at once', async () => {
      await filled(dataSource, [
        ['acme', 91, 1_200, 'DELIVERED'],
        ['acme', 89, 10, 'DELIVERED'],
      ]);
      await boot({});
      await server.waitForLog(
        ({ msg }) => msg === 'Retention removed 1200 events and 1200 deliveries older than 90 days',
      );
      expect(await countsOf(dataSource)).toEqual({ events: 10, deliveries: 10, attempts: 10, bare: 0 });
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toContain('webhook_retention_removed_total{kind="event"} 1200');
      expect(metrics).toContain('webhook_retention_removed_total{kind="delivery"} 1200');
      expect(await server.stop()).toBe(0);
    }, 180_000);

    it('removes payloads earlier, and refuses to send without one', async () => {
      await filled(dataSource, [['beta', 40, 2, 'DELIVERED']]);
      await boot({ WEBHOOK_PAYLOAD_RETENTION_DAYS: '30' });
      await server.waitForLog(
        ({ msg }) => msg === 'Retention removed the payload of 2 events older than 30 days',
      );
      await api.post('/subscriptions', { event: 'doc.made', url: receiver.url });
      const made = await api.post<{ event_id: string; delivery_ids: string[] }>('/deliveries', {
        event: 'doc.made',
        payload: { b: 1, a: 2 },
      });
      const [id] = made.body.delivery_ids;
      const { event_id: eventId } = made.body;
      expect((await api.get(`/deliveries/${id}`)).body).toMatchObject({
        ...{ status: 'DELIVERED', payload: { b: 1, a: 2 }, payload_expired: false },
      });
      await dataSource.query(`UPDATE webhook_events SET created_at = now() - interval '31 days'`);
      await dataSource.query(`UPDATE webhook_deliveries SET created_at = now() - interval '31 days'`);
      expect(await server.stop()).toBe(0);
      await boot({ WEBHOOK_PAYLOAD_RETENTION_DAYS: '30' });
      await server.waitForLog(
        ({ msg }) => msg === 'Retention removed the payload of 1 events older than 30 days',
      );
      const gone = { payload: null, payload_expired: true };
      expect((await api.get(`/deliveries/${id}`)).body).toMatchObject({ status: 'DELIVERED', ...gone });
      expect((await api.get(`/events/${eventId}`)).body).toMatchObject({ event: 'doc.made', ...gone });
      const refused = { status: 409, body: { detail: 'payload_expired' } };
      expect(await api.post(`/deliveries/${id}/retry`, { force: true })).toMatchObject(refused);
      expect(await api.post(`/events/${eventId}/replay`, {})).toMatchObject(refused);
      // A task over many passes it over.
      const filter = { status: 'DELIVERED', dry_run: true };
      expect(await api.post('/deliveries/retry', filter)).toMatchObject({
        body: { dry_run: true, count: 0 },
      });
      expect(receiver.requests).toHaveLength(1);
      expect(await server.stop()).toBe(0);
    }, 180_000);
  });
});

describe('retention on the embedded database', () => {
  it('removes what is old and finished, of every tenant', async () => {
    const folder = temporaryFolder('webhooks-retention-');
    await prepareEmbeddedFiles(folder.path);
    const embedded = await EmbeddedDatabase.start(folder.path);
    try {
      await migrate(embedded.url);
      const { dataSource, history } = await open(embedded.url);
      await removesOldAlone(dataSource, history);
      await dataSource.destroy();
    } finally {
      await embedded.stop();
      folder.remove();
    }
  }, 180_000);
});

/** Holds one delivery locked, after changing it as told. */
async function lockedRow(url: string, change = 'updated_at = now()'): Promise<{ letGo(): Promise<void> }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query(
    `UPDATE webhook_deliveries SET ${change} WHERE id = (SELECT id FROM webhook_deliveries LIMIT 1)`,
  );
  return {
    letGo: async () => {
      await client.query('COMMIT');
      await client.end();
    },
  };
}

/** Sessions of this database that wait for a lock. */
async function waiting(dataSource: DataSource): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return row!.count;
}
