import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';

import { ApiClient, signToken } from '../support/api-client.js';
import { Canaries } from '../support/canaries.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from '../support/receiver.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startServer, type LogLine, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgresAndRedis, testDatabaseUrl } from '../support/servers.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const REQUESTS = 200;
const DELIVERIES = 50;
/** Connections to a Redis that refuses them: a few of each client. */
const TRIES = 12;
const unique = (): string => randomBytes(12).toString('hex');

interface Ready {
  readonly status: string;
  readonly checks: { readonly broker: { readonly status: string; readonly reason?: string } };
}

/* One server through it all: a good day first, then a Redis that fails in every way. */
describeWithPostgresAndRedis('the log', () => {
  const canaries = new Canaries();
  const secretOf = (name: string): string => {
    const text = `canary${unique()}`;
    canaries.add(name, text);
    return text;
  };
  let database: TestDatabase;
  let redis: RedisServer;
  let client: Redis;
  let receiver: Receiver;
  let server: ServerProcess;
  let api: ApiClient;

  beforeAll(async () => {
    database = await createTestDatabase(testDatabaseUrl());
    redis = await startRedis();
    receiver = await Receiver.start();
    const password = secretOf('password of Redis');
    client = new Redis(redis.url, { password });
    client.on('error', () => undefined); // it is taken away below
    await client.config('SET', 'requirepass', password);
    const databaseUrl = new URL(database.url);
    if (databaseUrl.password === '') databaseUrl.password = secretOf('password of the database');
    const jwtSecret = secretOf('JWT_SECRET').padEnd(32, 'x');
    server = await startServer({
      env: {
        DATABASE_URL: databaseUrl.href,
        REDIS_URL: redis.url.replace('redis://', `redis://:${password}@`),
        WEBHOOK_QUEUE_PREFIX: database.name,
        JWT_SECRET: jwtSecret,
        WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
      },
    });
    const token = await signToken({ secret: jwtSecret, tenantId: 'quiet' });
    canaries.add('bearer token', token);
    api = new ApiClient(server.url, token);
  });
  afterAll(async () => {
    client?.disconnect();
    await server?.dispose();
    await receiver?.close();
    await redis?.dispose();
    await database?.drop();
  });

  const loud = (): LogLine[] =>
    server.logLines.filter(({ level }) => level !== 'info' && level !== 'debug' && level !== 'trace');
  const broker = async (status: string, reason: RegExp | null): Promise<void> =>
    eventually(async () => {
      const { body } = await api.request<Ready>('GET', '/health/ready');
      expect(body.checks.broker.status).toBe(status);
      if (reason !== null) expect(body.checks.broker.reason).toMatch(reason);
    });
  /** One event from the request to the receiver. */
  const delivers = async (): Promise<string> => {
    const before = receiver.requests.length;
    const sent = await api.post<{ delivery_ids: string[] }>('/deliveries', {
      event: 'quiet.day',
      payload: { secret: 1 },
    });
    expect(sent.status).toBe(202);
    await receiver.waitForCount(before + 1);
    return sent.body.delivery_ids[0]!;
  };
  /** A delivery that is sent again by hand, which takes a ring. */
  const rings = async (): Promise<void> => {
    const id = await delivers();
    const before = receiver.requests.length;
    await eventually(async () =>
      expect((await api.get<{ status: string }>(`/deliveries/${id}`)).body.status).toBe('DELIVERED'),
    );
    expect((await api.post(`/deliveries/${id}/retry`, { force: true })).status).toBe(202);
    await receiver.waitForCount(before + 1);
  };

  // Red when class-validator looks for its own classes through Nest: an error with a stack for each of them, each time.
  it(`has no line above info for ${REQUESTS} good requests and ${DELIVERIES} deliveries, but for the boot's`, async () => {
    const made = await api.post<{ id: string }>('/subscriptions', {
      event: 'quiet.day',
      url: `${receiver.url}/hook?token=${secretOf('query of a URL')}`,
      secret: secretOf('signing secret'),
    });
    for (let n = 1; n < REQUESTS - DELIVERIES; n += 1) {
      const path = [`/subscriptions/${made.body.id}`, '/deliveries?limit=5', '/subscriptions?active=true'][
        n % 3
      ]!;
      expect((await api.get(path)).status).toBe(200);
    }
    const payload = { canary: secretOf('payload') };
    for (let n = 0; n < DELIVERIES; n += 1)
      expect((await api.post('/deliveries', { event: 'quiet.day', payload })).status).toBe(202);
    await receiver.waitForCount(DELIVERIES);
    await eventually(() =>
      expect(
        server.logLines.filter(({ msg }) => msg?.startsWith('Webhook delivered successfully')),
      ).toHaveLength(DELIVERIES),
    );
    expect(loud().map(({ msg }) => msg)).toEqual([
      // The tests' login is a superuser.
      expect.stringMatching(/^The database user \w+ is above row-level security/),
      'WEBHOOK_ALLOW_INSECURE_TARGETS=loopback: deliveries may go to http(s) on this machine, ports from 1024; for development only',
    ]);
  });

  // Red when readiness only asks whether Redis lives, and when rings that it refuses are nobody's.
  it('says once that Redis refuses writes; readiness gives the reason, and deliveries flow', async () => {
    await broker('up', null);
    for (const [refuse, reason, mend] of [
      [() => client.config('SET', 'maxmemory', '1'), /OOM/, () => client.config('SET', 'maxmemory', '0')],
      [() => client.replicaof('127.0.0.1', '1'), /READONLY/, () => client.replicaof('NO', 'ONE')],
    ] as const) {
      const before = loud().length;
      await refuse();
      await broker('degraded', reason);
      // A manual retry rings its lane; new deliveries are sent where they are stored, without a ring.
      for (let n = 0; n < 5; n += 1) await rings();
      const saidOf = (): (string | undefined)[] =>
        loud()
          .slice(before)
          .map(({ msg }) => msg?.replace(/ \(.*\)/, ''));
      await eventually(() =>
        expect(saidOf()).toContain(
          'Redis does not take rings of lanes: processes that deliver go on without it',
        ),
      );
      const said = saidOf();
      expect(new Set(said).size).toBe(said.length);
      await mend();
      await broker('up', null);
      await rings();
      await server.waitForLog(({ msg }) => msg === 'Redis takes rings of lanes again');
    }
  });

  const connections = async (): Promise<number> =>
    Number(/total_connections_received:(\d+)/.exec(await client.info('stats'))?.[1]);

  // Red without a listener for the errors of each client (ioredis and BullMQ print them then, arguments included), and when
  // each try to reach it again is told.
  it('says once that Redis is away, or does not know the password any more; deliveries flow', async () => {
    const before = loud().length;
    await client.config('SET', 'requirepass', secretOf('new password of Redis'));
    const tries = await connections();
    await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await broker('degraded', /not connected/);
    // Each of its connections has been refused some times by then.
    await eventually(async () => expect(await connections()).toBeGreaterThanOrEqual(tries + TRIES));
    for (let n = 0; n < 3; n += 1) await delivers();
    await redis.stop();
    for (let n = 0; n < 3; n += 1) await delivers();
    const saidOf = (): (string | undefined)[] =>
      loud()
        .slice(before)
        .map(({ msg }) => msg?.replace(/ \(.*\)/, ''));
    await server.waitForLog(({ msg }) => msg?.startsWith('Redis does not answer') === true);
    expect(saidOf()).toEqual([
      'Redis does not answer: deliveries are stored, and processes that deliver find them without it',
    ]);
  });

  it('has one form, and holds no secret, token, payload, query or credential', async () => {
    expect(await server.stop()).toBe(0);
    for (const line of server.output) {
      expect(line).toMatch(/^\{.*\}$/);
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) });
    }
    expect(canaries.findIn(server.output.join('\n'))).toEqual([]);
  });
});
