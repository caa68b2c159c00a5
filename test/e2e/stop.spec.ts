import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { ApiClient, signToken } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from '../support/receiver.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgresAndRedis, testRedisUrl } from '../support/servers.js';
import { temporaryFolder, type TemporaryFolder } from '../support/temporary-folder.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const TIMEOUT_SECONDS = 20;
/** The longest timeout in use and two seconds, and one for a machine that is busy with other tests. */
const BOUND_MS = (TIMEOUT_SECONDS + 3) * 1_000;
/** With nothing left to wait for: far below the timeout, far above what it takes. */
const PROMPT_MS = 8_000;

/** What clients send that never go on: nothing, half a head, half a body; and one that keeps its connection. */
const HALF_SENT = [
  '',
  'POST /api/v1/tenant/webhooks/deliveries HTTP/1.1\r\nHost: x\r\nAuth',
  'POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf',
  'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n',
];

type Signals = readonly (readonly [afterMs: number, signal: NodeJS.Signals])[];
const ONCE: Signals = [[0, 'SIGTERM']];
/** As npm and a shell pass on one Ctrl-C. */
const TWICE: Signals = [
  [0, 'SIGINT'],
  [60, 'SIGINT'],
];

describeWithPostgresAndRedis('a server that is told to stop', () => {
  let database: TestDatabase;
  let folder: TemporaryFolder;
  let receiver: Receiver;
  let release: () => void = () => undefined;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    folder = temporaryFolder('webhooks-stop-');
    receiver = await Receiver.start();
  });
  afterAll(async () => {
    await receiver?.close();
    folder?.remove();
    await database?.drop();
  });

  const secrets = {
    JWT_SECRET: 'stop-secret-of-thirty-two-characters',
    WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  };
  const MODES = {
    inline: () => ({ DATABASE_URL: database.url }),
    brokered: () => ({
      DATABASE_URL: database.url,
      REDIS_URL: testRedisUrl(),
      WEBHOOK_QUEUE_PREFIX: database.name,
    }),
    embedded: () => ({}),
  } as const;
  type Mode = keyof typeof MODES;

  async function start(mode: Mode): Promise<{ server: ServerProcess; api: ApiClient }> {
    const env = {
      ...secrets,
      WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
      WEBHOOK_TIMEOUT_SECONDS: String(TIMEOUT_SECONDS),
      ...MODES[mode](),
    };
    const server = await startServer({ env, cwd: folder.path, hasFiles: mode === 'embedded' });
    return {
      server,
      api: new ApiClient(server.url, await signToken({ secret: secrets.JWT_SECRET, tenantId: 'stop' })),
    };
  }

  /** An event that only this receiver gets, with an attempt that lasts until `release`. */
  async function attemptUnderWay(api: ApiClient): Promise<{ event: string; posted: Promise<number> }> {
    const event = `stop.n${randomBytes(4).toString('hex')}`;
    await api.post('/subscriptions', { event, url: `${receiver.url}/${event}`, secret: 'a-good-secret' });
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    receiver.behave(async () => {
      await held;
      return 200;
    });
    const before = receiver.requests.length;
    const posted = api.post('/deliveries', { event, payload: {} }).then(({ status }) => status);
    await receiver.waitForCount(before + 1);
    return { event, posted };
  }

  /** A stream of deliveries that has begun. */
  async function watching(server: ServerProcess): Promise<Response> {
    const token = await signToken({ secret: secrets.JWT_SECRET, tenantId: 'stop' });
    const url = `${server.url}/api/v1/tenant/webhooks/stream`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(200);
    return response;
  }

  async function stop(server: ServerProcess, signals: Signals): Promise<void> {
    for (const [afterMs, signal] of signals) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      process.kill(server.pid, signal);
    }
  }

  const requestsOf = (event: string): number =>
    receiver.requests.filter(({ url }) => url === `/${event}`).length;
  const lock = (): string => join(folder.path, 'data/postgres.lock');

  /*
   * Everything at once: an attempt, a request that waits for it, and clients that send nothing, or half. Red with
   * `process.once`, when the second signal ends the process; when the engine stops before HTTP does; and when connections
   * that carry no request are waited for.
   */
  describe.each<Mode>(['inline', 'brokered', 'embedded'])('%s', (mode) => {
    it.each([
      ['SIGTERM', ONCE],
      ['SIGINT twice at once', TWICE],
    ])(
      '%s: refuses requests at once, finishes the attempt, sends it once, waits for no silent client',
      async (_what, signals) => {
        const { server, api } = await start(mode);
        const clients: Socket[] = [];
        try {
          const { event, posted } = await attemptUnderWay(api);
          for (const text of HALF_SENT) clients.push(await client(server, text));
          const stream = await watching(server);
          const askedAtMs = performance.now();
          await stop(server, signals);
          await server.waitForLog(({ msg }) => msg === 'Stopping');
          // It would not end by itself, and is not waited for.
          expect(await stream.text()).toContain('event: bye\ndata: {"reason":"stopping"}');
          // The attempt goes on until it is released below: an answer now has not waited for it.
          const refused = await api.post('/deliveries', { event, payload: {} });
          expect(refused).toMatchObject({ status: 503, body: { detail: 'service_unavailable' } });
          expect(refused.headers.get('connection')).toBe('close');
          expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
          expect(refused.headers.get('x-request-id')).toBeTruthy();
          expect(await api.request('GET', '/health/live')).toMatchObject({ status: 200 });
          expect(await api.request('GET', '/health/ready')).toMatchObject({ status: 503 });
          release();
          const releasedAtMs = performance.now();
          expect(await posted).toBe(202);
          expect(await server.exited).toBe(0);
          expect(performance.now() - releasedAtMs).toBeLessThan(PROMPT_MS);
          expect(performance.now() - askedAtMs).toBeLessThan(BOUND_MS);
          expect(server.logLines.map(({ msg }) => msg)).toContain('Stopped');
          expect(existsSync(lock())).toBe(false);
          expect(requestsOf(event)).toBe(1);
          const ended = server.logLines.filter(({ msg }) =>
            msg?.startsWith('Webhook delivered successfully'),
          );
          expect(ended).toHaveLength(1);
          if (mode !== 'embedded')
            expect(await rowsOf(event)).toEqual([{ status: 'DELIVERED', attempts: 1 }]);
        } finally {
          release();
          for (const socket of clients) socket.destroy();
          await server.dispose();
        }
      },
    );
  });

  async function rowsOf(event: string): Promise<unknown[]> {
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    const { rows } = await admin.query<{ status: string; attempts: number }>(
      'SELECT status, attempts FROM webhook_deliveries WHERE event = $1',
      [event],
    );
    await admin.end();
    return rows;
  }

  it('is cut short by another signal two seconds later, and says so; the lease is given back', async () => {
    const { server, api } = await start('inline');
    try {
      const { event, posted } = await attemptUnderWay(api);
      posted.catch(() => undefined); // the connection is cut with the process
      const askedAtMs = performance.now();
      await stop(server, [
        [0, 'SIGINT'],
        [2_100, 'SIGINT'],
      ]);
      expect(await server.exited).toBe(1);
      expect(performance.now() - askedAtMs).toBeLessThan(PROMPT_MS);
      const messages = server.logLines.map(({ msg }) => msg);
      expect(messages).toContain(
        'Stopping at once, on another SIGINT; what is under way is given back when its lease ends',
      );
      expect(messages).not.toContain('Stopped');
      expect(await rowsOf(event)).toEqual([{ status: 'SENDING', attempts: 1 }]);
    } finally {
      release();
      await server.dispose();
    }
  });

  it('while it starts, ends with 0 and leaves no lock', async () => {
    const server = await startServer({ env: secrets, cwd: folder.path, readyPath: null });
    try {
      await eventually(() => expect(existsSync(lock())).toBe(true), { intervalMs: 1, timeoutMs: 120_000 });
      await stop(server, ONCE);
      expect(await server.exited).toBe(0);
      expect(existsSync(lock())).toBe(false);
    } finally {
      await server.dispose();
    }
  });
});

/** A client that sends this much and then nothing. */
async function client(server: ServerProcess, text: string): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined); // the server may cut it
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  if (text !== '') await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  return socket;
}
