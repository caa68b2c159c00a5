import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ApiClient, signToken } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { queryOnce } from '../support/postgres-server.js';
import { Receiver } from '../support/receiver.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { describeWithPostgres } from '../support/servers.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import type { TestDatabase } from '../support/test-database.js';

const JWT_SECRET = 'surface-secret-of-thirty-two-characters';
const TENANT = 'abc123';
const DELIVERIES = '/api/v1/tenant/webhooks/deliveries';

interface RawAnswer {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly body: unknown;
}

describeWithPostgres('the surface that clients and operators see', () => {
  let database: TestDatabase;
  let receiver: Receiver;
  let server: ServerProcess;
  let api: ApiClient;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    receiver = await Receiver.start();
    server = await startServer({
      env: {
        DATABASE_URL: database.url,
        JWT_SECRET,
        WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        WEBHOOK_ALLOW_INSECURE_TARGETS: 'loopback',
        BODY_LIMIT_BYTES: '2048',
      },
    });
    api = new ApiClient(server.url, await signToken({ secret: JWT_SECRET, tenantId: TENANT }));
  });

  afterAll(async () => {
    await server?.dispose();
    await receiver?.close();
    await database?.drop();
  });

  /** Bytes on a socket, as no HTTP client would send them. */
  const raw = async (bytes: string): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      socket.on('error', reject).on('close', () => {
        const [head = '', body = ''] = text.split('\r\n\r\n');
        resolve({
          status: Number(head.split(' ')[1]),
          requestId: /^x-request-id: (.+)$/im.exec(head)?.[1],
          body: JSON.parse(body),
        });
      });
    });
  const auth = async (): Promise<string> =>
    `Authorization: Bearer ${await signToken({ secret: JWT_SECRET, tenantId: TENANT })}`;

  it.each([
    ['GET', '/webhooks/subscriptions'],
    ['POST', '/webhooks/deliveries'],
    ['GET', '/api/v1/webhooks/deliveries'],
    ['GET', '/api/v1/tenant/webhooks'],
    ['PUT', DELIVERIES],
    ['DELETE', DELIVERIES],
    ['GET', '/nothing?x=1'],
  ])('%s %s is not there', async (method, path) => {
    const answer = await api.request(method, path);
    expect(answer).toMatchObject({ status: 404, body: { detail: 'not_found' } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('takes the request id of the client when it may be logged, and makes one otherwise', async () => {
    for (const path of ['/nothing', '/health/live', DELIVERIES]) {
      const mine = await api.request('GET', path, { headers: { 'x-request-id': 'my-id_1.2' } });
      expect(mine.headers.get('x-request-id')).toBe('my-id_1.2');
      const bad = await api.request('GET', path, { headers: { 'x-request-id': 'a b"<>' } });
      expect(bad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('answers every malformed request in the one shape, with an id, and changes nothing', async () => {
    const post = async (body: string, type = 'application/json'): Promise<RawAnswer> =>
      raw(
        `POST ${DELIVERIES} HTTP/1.1\r\nHost: x\r\n${await auth()}\r\nContent-Type: ${type}\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    const problem = (loc: string): object => ({
      detail: [{ type: expect.any(String), loc: [loc], msg: expect.any(String) }],
    });
    const answers: Readonly<Record<string, readonly [Promise<RawAnswer>, number, unknown]>> = {
      'no JSON': [post('{"event":'), 400, problem('body')],
      'a body over the limit': [post(`{"a":"${'x'.repeat(3_000)}"}`), 413, { detail: 'payload_too_large' }],
      'another content type': [
        post('a=1', 'application/x-www-form-urlencoded'),
        415,
        { detail: 'unsupported_media_type' },
      ],
      'a malformed URL': [
        raw('GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
        400,
        problem('path'),
      ],
      'no HTTP at all': [raw('hello there\r\n\r\n'), 400, problem('request')],
      'a header with a NUL': [raw('GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n'), 400, problem('request')],
      'headers over the limit': [
        raw(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`),
        431,
        { detail: 'headers_too_large' },
      ],
    };
    for (const [what, [answering, status, body]] of Object.entries(answers)) {
      const answer = await answering;
      expect({ what, ...answer }).toEqual({
        ...{ what, status, body },
        requestId: expect.stringMatching(/^[A-Za-z0-9._-]{1,128}$/),
      });
    }
    expect((await api.get('/deliveries')).body).toEqual([]);
    expect((await api.request('GET', '/health/live')).status).toBe(200);
  });

  it('runs the SQL of operators as it stands, and counts in the metrics', async () => {
    await api.post('/subscriptions', { event: 'invoice.paid', url: `${receiver.url}/ok` });
    await api.post('/subscriptions', { event: 'invoice.rejected', url: `${receiver.url}/bad` });
    await api.post('/subscriptions', { event: 'invoice.sent', url: `${receiver.url}/later` });
    receiver.behave(({ url }) =>
      url === '/ok' ? 200 : url === '/bad' ? 404 : { status: 503, headers: { 'retry-after': '3600' } },
    );
    for (const event of ['invoice.paid', 'invoice.paid', 'invoice.rejected', 'invoice.sent'])
      expect((await api.post('/deliveries', { event, payload: { n: 1 } })).status).toBe(202);

    const run = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
      queryOnce(database.url, sql);
    await eventually(async () => {
      const counted = await run(
        `SELECT status, COUNT(*) FROM webhook_deliveries WHERE tenant_id = 'abc123' GROUP BY status ORDER BY status`,
      );
      expect(counted).toEqual([
        { status: 'DELIVERED', count: '2' },
        { status: 'FAILED', count: '1' },
        { status: 'PENDING', count: '1' },
      ]);
    });
    expect(
      await run(
        `SELECT id, event, target_url, last_error, created_at FROM webhook_deliveries
          WHERE tenant_id = 'abc123' AND status = 'FAILED' ORDER BY created_at DESC LIMIT 10`,
      ),
    ).toMatchObject([
      { event: 'invoice.rejected', target_url: `${receiver.url}/bad`, last_error: 'HTTP 404' },
    ]);
    expect(
      await run(
        `SELECT status, COUNT(*), AVG(attempts) AS average FROM webhook_deliveries GROUP BY status ORDER BY status`,
      ),
    ).toMatchObject([{ average: expect.stringMatching(/^1\.0/) }, {}, {}]);
    const slowest = await run(
      `SELECT id, EXTRACT(EPOCH FROM (updated_at - created_at)) AS seconds FROM webhook_deliveries
        WHERE status = 'DELIVERED' ORDER BY seconds DESC LIMIT 10`,
    );
    expect(slowest).toHaveLength(2);
    expect(Number(slowest[0]!['seconds'])).toBeGreaterThan(0);

    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    for (const line of [
      'webhook_deliveries_total{event="invoice.paid",status="DELIVERED"} 2',
      'webhook_deliveries_total{event="invoice.rejected",status="FAILED"} 1',
      'webhook_retries_total{event="invoice.sent",reason="http_5xx"} 1',
      'webhook_delivery_http_status{status_code="404"} 1',
      'webhook_delivery_duration_seconds_count 4',
    ])
      expect(metrics.split('\n')).toContain(line);
    expect(metrics).not.toContain(TENANT);
    expect(metrics).toMatch(/^# TYPE webhook_\w*(pending|queue|depth|backlog)\w* gauge$/m);
    expect(metrics).toMatch(/^# TYPE webhook_\w*oldest\w* gauge$/m);
  });
});
