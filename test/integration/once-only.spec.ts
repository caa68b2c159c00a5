import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';

import { ApiClient, signToken, type ApiAnswer } from '../support/api-client.js';
import { Receiver } from '../support/receiver.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const JWT_SECRET = 'integration-secret-of-32-characters';

describeWithPostgres('what happens once, however often it is asked for', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let receiver: Receiver;
  let api: ApiClient;
  let tests = 0;

  const encryptionKeys = `k1:${randomBytes(32).toString('base64')}`;
  const start = async (): Promise<void> => {
    server = await startServer({
      env: {
        DATABASE_URL: database.url,
        JWT_SECRET,
        WEBHOOK_ENCRYPTION_KEYS: encryptionKeys,
        WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
      },
    });
  };
  const clientOf = async (tenantId: string): Promise<ApiClient> =>
    new ApiClient(server.url, await signToken({ secret: JWT_SECRET, tenantId }));

  beforeAll(async () => {
    database = await createMigratedDatabase();
    receiver = await Receiver.start();
    await start();
  }, 180_000);

  afterAll(async () => {
    await server?.dispose();
    await receiver?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    api = await clientOf(`once_${(tests += 1)}`);
    receiver.requests.length = 0;
  });

  const subscribe = (as: ApiClient, path = '/hook'): Promise<ApiAnswer<{ id: string }>> =>
    as.post('/subscriptions', { event: 'once.made', url: receiver.url + path });
  const deliver = (as: ApiClient, key: string, payload: object = { n: 1 }): Promise<ApiAnswer<unknown>> =>
    as.post('/deliveries', { event: 'once.made', payload }, { headers: { 'idempotency-key': key } });
  const statuses = (answers: readonly ApiAnswer<unknown>[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  it('sends once for ten parallel requests with one key, and answers each the same', async () => {
    await subscribe(api);
    const answers = await Promise.all(Array.from({ length: 10 }, () => deliver(api, 'parallel')));
    expect(statuses(answers)).toEqual({ 202: 10 });
    for (const { body } of answers) expect(body).toEqual(answers[0]!.body);
    expect((await api.get<unknown[]>('/deliveries')).body).toHaveLength(1);
    await receiver.waitForCount(1);
    expect(receiver.requests).toHaveLength(1);
  });

  it('lets one of several bodies with one key win, and refuses the others', async () => {
    await subscribe(api);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => deliver(api, 'rivals', { n })));
    expect(statuses(answers)).toEqual({ 202: 1, 409: 9 });
    const refused = answers.filter(({ status }) => status === 409).map(({ body }) => body);
    expect(refused).toEqual(refused.map(() => ({ detail: 'idempotency_conflict' })));
    expect((await api.get<unknown[]>('/deliveries')).body).toHaveLength(1);
  });

  it('takes another event with the same key for another body, and another tenant’s key for another key', async () => {
    await subscribe(api);
    const first = await deliver(api, 'shared');
    const other = await api.post(
      '/deliveries',
      { event: 'once.other', payload: { n: 1 } },
      { headers: { 'idempotency-key': 'shared' } },
    );
    expect(other).toMatchObject({ status: 409, body: { detail: 'idempotency_conflict' } });
    const stranger = await clientOf(`once_${tests}_stranger`);
    await subscribe(stranger);
    const theirs = await deliver(stranger, 'shared', { n: 2 });
    expect(theirs.status).toBe(202);
    expect(theirs.body).not.toEqual(first.body);
  });

  it('stores no key of a request that was refused', async () => {
    expect((await deliver(api, 'refused')).status).toBe(404);
    await subscribe(api);
    expect((await deliver(api, 'refused', { n: 2 })).status).toBe(202);
  });

  it('gives the first answer again after a restart, and after the subscription was deleted', async () => {
    const subscription = await subscribe(api);
    const first = await deliver(api, 'kept');
    expect(await server.stop()).toBe(0);
    await start();
    api = await clientOf(`once_${tests}`);
    expect(await deliver(api, 'kept')).toMatchObject({ status: 202, body: first.body });
    await subscribe(api, '/later');
    expect((await api.delete(`/subscriptions/${subscription.body.id}`)).status).toBe(204);
    expect(await deliver(api, 'kept')).toMatchObject({ status: 202, body: first.body });
    expect(receiver.requests).toHaveLength(1);
  }, 180_000);

  it('creates one of twenty equal subscriptions', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => subscribe(api)));
    expect(statuses(answers)).toEqual({ 201: 1, 409: 19 });
    for (const { status, body } of answers)
      if (status === 409) expect(body).toEqual({ detail: 'duplicate_subscription' });
    expect((await api.get<unknown[]>('/subscriptions')).body).toHaveLength(1);
  });

  it('counts a subscription as a duplicate by event and URL, while it is active', async () => {
    const first = await subscribe(api);
    const upper = await api.post('/subscriptions', { event: ' ONCE.made ', url: `${receiver.url}/hook` });
    expect(upper).toMatchObject({ status: 409, body: { detail: 'duplicate_subscription' } });
    expect((await subscribe(api, '/hook2')).status).toBe(201);
    expect((await subscribe(await clientOf(`once_${tests}_stranger`))).status).toBe(201);

    const path = `/subscriptions/${first.body.id}`;
    expect((await api.delete(path)).status).toBe(204);
    expect(await api.delete(path)).toMatchObject({ status: 404, body: { detail: 'subscription_not_found' } });
    const second = await subscribe(api);
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
    expect(await api.patch(path, { active: true })).toMatchObject({
      status: 409,
      body: { detail: 'duplicate_subscription' },
    });
    expect((await api.get(path)).body).toMatchObject({ active: false });
  });

  it('deletes once, however many delete at the same moment', async () => {
    const { body } = await subscribe(api);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => api.delete(`/subscriptions/${body.id}`)),
    );
    expect(statuses(answers)).toEqual({ 204: 1, 404: 5 });
  });
});
