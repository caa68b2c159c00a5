import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ApiClient, signToken } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { queryOnce } from '../support/postgres-server.js';
import { Receiver } from '../support/receiver.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const JWT_SECRET = 'roles-secret-of-thirty-two-characters';

describeWithPostgres('WEBHOOK_ROLE', () => {
  let database: TestDatabase;
  let receiver: Receiver;
  let api: ServerProcess;
  let client: ApiClient;

  const startAs = async (role: string): Promise<ServerProcess> =>
    startServer({
      env: {
        DATABASE_URL: database.url,
        JWT_SECRET,
        WEBHOOK_ENCRYPTION_KEYS: keys,
        WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
        WEBHOOK_ROLE: role,
      },
    });
  const keys = `k1:${randomBytes(32).toString('base64')}`;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    receiver = await Receiver.start();
    api = await startAs('api');
    client = new ApiClient(api.url, await signToken({ secret: JWT_SECRET, tenantId: 'roles' }));
  });

  afterAll(async () => {
    await api?.dispose();
    await receiver?.close();
    await database?.drop();
  });

  const sendingOrDone = async (): Promise<number> =>
    (await queryOnce(database.url, `SELECT 1 FROM webhook_deliveries WHERE attempts > 0`)).length;

  // Red when the API process starts a consumer or a sweep: the request would come before the worker is there.
  it('api stores and delivers nothing; worker delivers, and serves health and metrics alone', async () => {
    await client.post('/subscriptions', { event: 'invoice.sent', url: `${receiver.url}/hook` });
    const sent = await client.post<{ delivery_ids: string[] }>('/deliveries', {
      event: 'invoice.sent',
      payload: { n: 1 },
    });
    expect(sent.status).toBe(202);
    // What the API process would have done by itself it would have done by its second sweep.
    const waited = await queryOnce<{ age: number }>(
      database.url,
      `SELECT pg_sleep(2.5), 1 AS age FROM webhook_deliveries`,
    );
    expect(waited).toHaveLength(1);
    expect(await sendingOrDone()).toBe(0);
    expect(receiver.requests).toHaveLength(0);

    const worker = await startAs('worker');
    await receiver.waitForCount(1);
    const path = `/deliveries/${sent.body.delivery_ids[0]}`;
    await eventually(
      async () => expect((await client.get<{ status: string }>(path)).body.status).toBe('DELIVERED'),
      { timeoutMs: 60_000 },
    );

    const atWorker = new ApiClient(worker.url, await signToken({ secret: JWT_SECRET, tenantId: 'roles' }));
    for (const route of [
      '/api/v1/tenant/webhooks/subscriptions',
      '/api/v1/tenant/webhooks/deliveries',
      '/api/v1/tenant/invoices',
    ]) {
      const answer = await atWorker.request('GET', route);
      expect(answer).toMatchObject({ status: 404, body: { detail: 'not_found' } });
      expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
    }
    for (const route of ['/health/live', '/health/ready', '/metrics']) {
      expect((await atWorker.request('GET', route)).status).toBe(200);
    }
    const metrics = await (await fetch(`${worker.url}/metrics`)).text();
    expect(metrics).toMatch(/^webhook_deliveries_total\{[^}]*event="invoice\.sent"[^}]*\} 1$/m);
    expect(await worker.stop()).toBe(0);
    await worker.dispose();
  });

  it('api answers health, metrics and the tenant routes, and stops with exit code 0', async () => {
    for (const route of ['/health/live', '/health/ready', '/metrics']) {
      expect((await client.request('GET', route)).status).toBe(200);
    }
    expect((await client.get('/deliveries')).status).toBe(200);
    expect(await api.stop()).toBe(0);
  });
});
