import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { ApiClient, signToken } from '../support/api-client.js';
import { bootToExit, STACK_LINE } from '../support/boot-to-exit.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { queryOnce } from '../support/postgres-server.js';
import { Receiver } from '../support/receiver.js';
import { startRedis, type RedisServer } from '../support/redis-server.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgres, describeWithPostgresAndRedis, testDatabaseUrl } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const JWT_SECRET = 'boot-secret-of-thirty-two-characters';
const SECRETS = { JWT_SECRET, WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}` };

interface Ready {
  readonly status: string;
  readonly info?: Readonly<Record<string, { readonly status: string }>>;
}

describe('a boot where something is missing', () => {
  it.each([
    [
      'refuses',
      'postgres://erp:hunter2@127.0.0.1:1/erp',
      /127\.0\.0\.1:1\/erp cannot be used: .*ECONNREFUSED/,
    ],
    [
      'does not exist',
      'postgres://erp:hunter2@no-such-host.invalid/erp',
      /no-such-host\.invalid:5432\/erp cannot/,
    ],
  ])('says so when the database %s, without a stack or a password', async (_what, DATABASE_URL, message) => {
    for (const WEBHOOK_ROLE of ['all', 'worker']) {
      const { exitCode, output } = await bootToExit({ env: { ...SECRETS, DATABASE_URL, WEBHOOK_ROLE } });
      expect(exitCode).toBe(1);
      expect(output).toMatch(message);
      expect(output).not.toMatch(STACK_LINE);
      expect(output).not.toContain('hunter2');
    }
  });

  it('gives up on a database that accepts and never speaks', async () => {
    const deaf: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
    const { port } = deaf.address() as AddressInfo;
    const { exitCode, output } = await bootToExit({
      env: { ...SECRETS, DATABASE_URL: `postgres://erp@127.0.0.1:${port}/erp` },
    });
    expect(exitCode).toBe(1);
    expect(output).toMatch(/cannot be used: .*timeout/i);
    expect(output).not.toMatch(STACK_LINE);
    deaf.close();
  });

  it('says so when its data folder cannot be one', async () => {
    const { exitCode, output } = await bootToExit({ env: { DATA_DIR: '/dev/null/data' } });
    expect(exitCode).toBe(1);
    expect(output).toContain('ENOTDIR');
    expect(output).not.toMatch(STACK_LINE);
  });

  it('says so when its data folder is in use, and leaves it to its owner', async () => {
    const folder = temporaryFolder('webhooks-boot-');
    const first = await startServer({ cwd: folder.path, hasFiles: true });
    const second = await bootToExit({ cwd: folder.path });
    expect(second.exitCode).toBe(1);
    expect(second.output).toContain(`is in use by process ${first.pid}. Stop that one first`);
    expect(second.output).toMatch(/a folder of its own with DATA_DIR, or set DATABASE_URL/);
    expect(second.output).not.toMatch(STACK_LINE);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
    expect(await first.stop()).toBe(0);
    await first.dispose();
    folder.remove();
  }, 180_000);
});

describeWithPostgres('a boot on PostgreSQL', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase(testDatabaseUrl());
  });

  afterEach(async () => {
    await database?.drop();
  });

  const tables = async (): Promise<number> =>
    (await queryOnce(database.url, `SELECT 1 FROM pg_tables WHERE schemaname = 'public'`)).length;

  it('says so, without a stack, when its port is taken or its address is of another machine', async () => {
    const holder = await Receiver.start();
    const env = { ...SECRETS, DATABASE_URL: database.url };
    const taken = await bootToExit({ env: { ...env, PORT: String(holder.port) } });
    expect(taken.exitCode).toBe(1);
    expect(taken.output).toContain(
      `The server cannot listen on port ${holder.port}: another program listens there`,
    );
    expect(taken.output).not.toMatch(STACK_LINE);
    await holder.close();

    const elsewhere = await bootToExit({ env: { ...env, HOST: '203.0.113.5' } });
    expect(elsewhere.exitCode).toBe(1);
    expect(elsewhere.output).toContain('this machine has no such address. Set HOST to one that it has');
    expect(elsewhere.output).not.toMatch(STACK_LINE);
  });

  it('refuses an unmigrated database in production, and leaves it as it is', async () => {
    const env = { ...SECRETS, DATABASE_URL: database.url, NODE_ENV: 'production' };
    const refused = await bootToExit({ env });
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain('The database is not up to date: run `npm run migration:run` first.');
    expect(refused.output).not.toMatch(STACK_LINE);
    expect(await tables()).toBe(0);
  });

  it('migrates it where it is told to, or outside production, and stops with exit code 0', async () => {
    const env = { ...SECRETS, DATABASE_URL: database.url };
    expect((await bootToExit({ env: { ...env, MIGRATIONS_ON_START: 'false' } })).exitCode).toBe(1);
    const server = await startServer({
      env: { ...env, NODE_ENV: 'production', MIGRATIONS_ON_START: 'true' },
    });
    expect(await server.stop()).toBe(0);
    expect(await tables()).toBeGreaterThan(4);
    await server.dispose();
    const again = await startServer({ env: { ...env, NODE_ENV: 'production' } });
    expect(await again.stop('SIGINT')).toBe(0);
    await again.dispose();
  });
});

describeWithPostgresAndRedis('a boot while Redis is away', () => {
  let database: TestDatabase;
  let receiver: Receiver;
  let server: ServerProcess;
  let redis: RedisServer | undefined;
  let redisPort: number;
  let api: ApiClient;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    receiver = await Receiver.start();
    redisPort = await freePort();
    server = await startServer({
      env: {
        ...SECRETS,
        DATABASE_URL: database.url,
        REDIS_URL: `redis://127.0.0.1:${redisPort}`,
        WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
      },
    });
    api = new ApiClient(server.url, await signToken({ secret: JWT_SECRET, tenantId: 'boot' }));
  });

  afterAll(async () => {
    await server?.dispose();
    await redis?.dispose();
    await receiver?.close();
    await database?.drop();
  });

  const readiness = async (): Promise<{ status: number; body: Ready }> => {
    const response = await fetch(`${server.url}/health/ready`);
    return { status: response.status, body: (await response.json()) as Ready };
  };

  // Red without a listener for the errors of BullMQ's queue: BullMQ then prints each with its stack.
  it('says so once, in words; and prints no token, which belongs to the embedded database', async () => {
    expect(await readiness()).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { broker: { status: 'degraded' } } },
    });
    const reports = server.logLines.flatMap(({ msg }) =>
      msg?.startsWith('Redis does not answer') ? [msg] : [],
    );
    // One for the deliveries; a request to the API in this time adds one for its rate limit.
    expect(reports.filter((msg) => msg.includes('deliveries are stored'))).toHaveLength(1);
    expect(new Set(reports).size).toBe(reports.length);
    expect(server.output.join('\n')).not.toMatch(STACK_LINE);
    expect(server.output.join('\n')).not.toContain('TOKEN=');
  });

  // Red when a ring is awaited (the request hangs on the offline queue), and when nothing is delivered without one.
  it('serves, says degraded, and delivers all the same; once Redis is there all is well', async () => {
    expect(await readiness()).toMatchObject({ status: 200, body: { status: 'degraded' } });
    expect(
      (await api.post('/subscriptions', { event: 'boot.away', url: `${receiver.url}/hook` })).status,
    ).toBe(201);
    const deliver = async (count: number): Promise<void> => {
      const before = performance.now();
      const stored = await api.post<{ delivery_ids: string[] }>('/deliveries', {
        event: 'boot.away',
        payload: { count },
      });
      expect(stored.status).toBe(202);
      expect(performance.now() - before).toBeLessThan(20_000);
      await receiver.waitForCount(count);
      const path = `/deliveries/${stored.body.delivery_ids[0]}`;
      await eventually(
        async () => expect((await api.get<{ status: string }>(path)).body.status).toBe('DELIVERED'),
        { timeoutMs: 60_000 },
      );
      expect(receiver.requests).toHaveLength(count);
    };
    await deliver(1);
    await deliver(2);
    redis = await startRedis({ port: redisPort });
    await eventually(async () => expect((await readiness()).body.status).not.toBe('degraded'), {
      timeoutMs: 60_000,
    });
    await deliver(3);
    expect(await server.stop()).toBe(0);
  });
});
