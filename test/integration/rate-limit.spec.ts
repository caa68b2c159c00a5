import { randomBytes, randomUUID } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { ApiClient, signToken, type ApiAnswer } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgres, describeWithPostgresAndRedis } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const LIMIT = 5;
const JWT_SECRET = 'rate-limit-secret-of-32-characters';

async function times<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < count; n += 1) results.push(await work());
  return results;
}

const statuses = (answers: readonly ApiAnswer<unknown>[]): number[] => answers.map(({ status }) => status);
const list = async (client: ApiClient): Promise<ApiAnswer<unknown>> => client.get('/subscriptions');
const ALLOWED = Array.from({ length: LIMIT }, () => 200);

describeWithPostgres('the rate limit of the API', () => {
  let app: RestApp;

  beforeAll(async () => {
    app = await startRestApp({ WEBHOOK_API_RATE_LIMIT_PER_MINUTE: String(LIMIT) });
  });

  afterAll(async () => {
    await app?.close();
  });

  it('counts down in RateLimit headers, then refuses in the shape of every other error', async () => {
    const client = await app.clientOf('counted');
    const answers = await times(LIMIT, () => list(client));
    expect(statuses(answers)).toEqual(ALLOWED);
    expect(answers.map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual([
      '4',
      '3',
      '2',
      '1',
      '0',
    ]);

    const refused = await client.request('GET', '/api/v1/tenant/webhooks/subscriptions', {
      headers: { 'x-request-id': 'one-too-many' },
    });
    expect(refused).toMatchObject({ status: 429, body: { detail: 'rate_limited' } });
    // Five a minute come back one by one, every 12 seconds: the next one before all of them.
    const seconds = (name: string): number => Number(refused.headers.get(name));
    expect(seconds('retry-after')).toBeGreaterThan(0);
    expect(seconds('retry-after')).toBeLessThanOrEqual(12);
    expect(seconds('ratelimit-reset')).toBeGreaterThan(12);
    expect(seconds('ratelimit-reset')).toBeLessThanOrEqual(60);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'x-request-id': 'one-too-many',
      'ratelimit-limit': '5',
      'ratelimit-remaining': '0',
      'cache-control': 'no-store',
    });
    expect(app.document.deviations(app.document.operation('listSubscriptions'), refused)).toEqual([]);
  });

  // Red when the key is anything that a client chooses: another token, another route, a forwarded address.
  it('is of the tenant, whatever its tokens, routes and verbs; other tenants have their own', async () => {
    const reader = await app.clientOf('busy', 'webhooks:read');
    const writer = await app.clientOf('busy', 'webhooks:read webhooks:write');
    await times(LIMIT - 1, () => list(reader));
    expect((await writer.post('/deliveries', {})).status).toBe(400);
    const forwarded = { headers: { 'x-forwarded-for': '203.0.113.9' } };
    expect((await writer.get('/events', forwarded)).status).toBe(429);
    expect((await writer.request('GET', '/api/v1/tenant/invoices')).status).toBe(429);
    expect((await list(await app.clientOf('calm'))).status).toBe(200);
  });

  it('is of the address without a valid token, which takes nothing from any tenant', async () => {
    const forged = await signToken({ secret: 'another-secret-of-thirty-two-chars', tenantId: 'victim' });
    const strangers = await times(LIMIT + 3, () => list(new ApiClient(app.url, forged)));
    expect(new Set(statuses(strangers))).toEqual(new Set([401, 429]));
    const stranger = new ApiClient(app.url);
    expect((await list(stranger)).status).toBe(429);
    // Nor may links and sessions be made up without end: each is looked for in the database.
    const cookie = `whp=${'A'.repeat(43)}`;
    expect((await stranger.get('/subscriptions', { headers: { cookie } })).status).toBe(429);
    const link = { token: 'A'.repeat(22) };
    expect((await stranger.request('POST', '/panel/session', { body: link })).status).toBe(429);
    expect((await list(await app.clientOf('victim'))).status).toBe(200);
  });

  it('leaves health, metrics and unknown paths alone', async () => {
    const anonymous = new ApiClient(app.url);
    for (const path of ['/health/live', '/metrics', '/nowhere']) {
      const answers = await times(LIMIT + 2, () => anonymous.request('GET', path));
      expect(statuses(answers)).not.toContain(429);
      expect(answers[0]!.headers.get('ratelimit-limit')).toBeNull();
    }
  });

  it('is documented on every route that asks for a token, or makes a session', () => {
    for (const { operationId, path, security = [], responses } of app.document.operations) {
      expect({ operationId, limited: '429' in responses }).toEqual({
        operationId,
        limited: security.length > 0 || path === '/panel/session',
      });
    }
  });
});

describeWithPostgres('WEBHOOK_API_RATE_LIMIT_PER_MINUTE=0', () => {
  it('sets no limit and sends no RateLimit headers', async () => {
    const app = await startRestApp({ WEBHOOK_API_RATE_LIMIT_PER_MINUTE: '0' });
    try {
      const answer = await list(await app.clientOf('free'));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('ratelimit-limit')).toBeNull();
    } finally {
      await app.close();
    }
  });
});

describeWithPostgresAndRedis('the rate limit with Redis', () => {
  let redis: RedisServer;
  let database: TestDatabase;
  const servers: ServerProcess[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    database = await createMigratedDatabase();
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      JWT_SECRET,
      WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      WEBHOOK_ROLE: 'api',
      WEBHOOK_QUEUE_PREFIX: randomUUID(),
      WEBHOOK_API_RATE_LIMIT_PER_MINUTE: String(LIMIT),
    };
    servers.push(await startServer({ env }));
    servers.push(await startServer({ env }));
  });

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.dispose()));
    await redis?.dispose();
    await database?.drop();
  });

  const clientsOf = async (tenantId: string): Promise<ApiClient[]> => {
    const token = await signToken({ secret: JWT_SECRET, tenantId });
    return servers.map(({ url }) => new ApiClient(url, token));
  };

  describe('while it answers', () => {
    // Red when each process counts for itself: each would allow the whole limit.
    it('is one for all processes', async () => {
      const [one, other] = await clientsOf('shared');
      // A count that does not come yet (the connection is being made) is not taken.
      await eventually(async () => {
        const { headers } = await list((await clientsOf(`probe_${randomUUID()}`))[1]!);
        expect(headers.get('ratelimit-remaining')).toBe(String(LIMIT - 1));
      });
      await times(LIMIT - 1, () => list(one!));
      expect((await list(other!)).status).toBe(200);
      expect(statuses([await list(other!), await list(one!)])).toEqual([429, 429]);
    });
  });

  describe('while it is away', () => {
    it('each process counts for itself, says so once, and all together again when it returns', async () => {
      const server = servers[0]!;
      const [client] = await clientsOf('outage');
      const lines = (part: string): number =>
        server.logLines.filter(({ msg }) => msg?.includes(part) === true).length;

      await redis.kill();
      await eventually(() => expect(lines('each process counts requests')).toBe(1));
      const answers = await times(LIMIT * 3, () => list(client!));
      expect(statuses(answers).slice(0, LIMIT)).toEqual(ALLOWED);
      expect(statuses(answers)).toContain(429);

      await redis.restart();
      await eventually(async () => {
        const probes = await clientsOf(`back_${randomUUID()}`);
        await times(LIMIT, () => list(probes[0]!));
        expect((await list(probes[1]!)).status).toBe(429);
      });
      // Lines are written in batches: the last one may come after the answers that it is about.
      await eventually(() => expect(lines('counts the requests of all processes')).toBe(1));
      expect(lines('each process counts requests')).toBe(1);
    });
  });
});
