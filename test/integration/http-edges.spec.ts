import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';

import { fastifyAdapter } from '../../src/platform/http/configure-http-app.js';
import type { ApiClient } from '../support/api-client.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';

const ORIGIN = 'https://erp.customer.com';
const ROUTES = '/api/v1/tenant/webhooks';

/** A door to the database that can be shut. */
class Door {
  private readonly open = new Set<Socket>();
  private server: Server | undefined;
  private target = { host: '', port: 0 };

  async start(): Promise<number> {
    this.server = createServer((socket) => {
      const behind = connect(this.target);
      for (const [one, other] of [
        [socket, behind],
        [behind, socket],
      ] as const) {
        this.open.add(one);
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  leadTo(host: string, port: number): void {
    this.target = { host, port };
  }

  async shut(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve));
    for (const socket of this.open) socket.destroy();
    await closed;
  }
}

/** What a server says before it closes the connection. */
async function conversation(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describeWithPostgres('the edges of HTTP', () => {
  let door: Door;
  let app: RestApp;
  let client: ApiClient;

  beforeAll(async () => {
    door = new Door();
    const doorPort = await door.start();
    app = await startRestApp({ CORS_ORIGINS: ORIGIN, LOG_LEVEL: 'error' }, undefined, (databaseUrl) => {
      const url = new URL(databaseUrl);
      door.leadTo(url.hostname, Number(url.port));
      url.hostname = '127.0.0.1';
      url.port = String(doorPort);
      return url.href;
    });
    client = await app.clientOf('edge');
  }, 180_000);

  afterAll(async () => {
    await app?.close();
    await door?.shut();
  });

  it.each(['GET', 'POST', 'PATCH', 'DELETE'])(
    'lets a page of an allowed origin ask for %s',
    async (method) => {
      const answer = await fetch(`${app.url}${ROUTES}/subscriptions/x`, {
        method: 'OPTIONS',
        headers: {
          origin: ORIGIN,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type',
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(answer.headers.get('access-control-allow-methods')?.split(/,\s*/)).toContain(method);
      expect(answer.headers.get('access-control-allow-headers')).toContain('authorization');
    },
  );

  // Red when the connection is closed while the client still writes: it fails then, and never reads why.
  it('answers a body of 5 MB with a 413 that can be read, on a connection that lives on', async () => {
    const body = `{"event":"a","payload":{"a":"${'x'.repeat(5_000_000)}"}}`;
    const answer = await client.post('/deliveries', body);
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 413,
      body: { detail: 'payload_too_large' },
    });
    expect(answer.headers.get('connection')).not.toBe('close');
    const [head, next] = await bothAnswers(body);
    expect(head).toMatch(/^HTTP\/1\.1 413 /);
    expect(next).toMatch(/^HTTP\/1\.1 200 /);
  });

  /** The large request and one to `/health/live`, written whole before anything is read. */
  async function bothAnswers(body: string): Promise<string[]> {
    const head = `POST ${ROUTES}/deliveries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
    const text = await conversation(
      Number(new URL(app.url).port),
      `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    return text.split(/(?=HTTP\/1\.1 )/);
  }

  it.each([
    ['{"secret":"hunter2-hunter2', 'see line 1, column 11'],
    ['{"secret":"hunter2"\n "x":1}', 'see line 2, column 2'],
    ['{"secret":hunter2}', 'see line 1, column 11'],
    ['{"event":"a",}', 'see line 1, column 14'],
    ['{"event":01}', 'see line 1, column 11'],
    ['{"event":"a\u0001"}', 'see line 1, column 10'],
    ["{'event':1}", 'see line 1, column 2'],
    ['/*x*/{}', 'see line 1, column 1'],
  ])('says where %j is not JSON, and shows none of it', async (body, place) => {
    expect(await client.post('/deliveries', body)).toMatchObject({
      status: 400,
      body: {
        detail: [{ type: 'json_invalid', loc: ['body'], msg: `Body is not valid JSON: ${place}` }],
      },
    });
  });

  it('ends a connection that is silent or half a request when its time is over, in the shape of every error', async () => {
    const adapter = fastifyAdapter({ bodyLimitBytes: 1_024 }, 300);
    const fastify = adapter.getInstance<FastifyInstance>();
    fastify.post('/', () => 'ok');
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    try {
      const { port } = fastify.server.address() as AddressInfo;
      const answers = await Promise.all([
        conversation(port, ''),
        conversation(port, 'POST / HTTP/1.1\r\nHost: a\r\n'),
        conversation(
          port,
          'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
        ),
      ]);
      for (const answer of answers) {
        expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
        expect(answer).toMatch(/\r\nX-Request-Id: [\w-]+\r\n/);
        expect(answer).toMatch(/\r\n\r\n\{"detail":"request_timeout"\}$/);
      }
    } finally {
      await fastify.close();
    }
  });

  it('looks for slow clients every second, which may take 30', () => {
    const { server } = fastifyAdapter({ bodyLimitBytes: 1_024 }).getInstance<FastifyInstance>();
    expect(server.requestTimeout).toBe(30_000);
    expect(server.headersTimeout).toBe(30_000);
    expect(Reflect.get(server, 'connectionsCheckingInterval')).toBe(1_000);
  });

  // The last one: the door stays shut.
  it('answers 503 on every route that needs the database while it is away', async () => {
    await door.shut();
    const document = app.document;
    const admin = await app.clientOf('edge', 'webhooks:read webhooks:write webhooks:admin');
    // None of them has to read anything: the payload of a preview's example stands in the request, and a token says who asks.
    const withoutDatabase = ['previewBody', 'listEventTypes', 'getPanelSession'];
    const asked = document.operations.filter(
      ({ security = [], operationId = '' }) => security.length > 0 && !withoutDatabase.includes(operationId),
    );
    expect(asked.length).toBeGreaterThan(30);
    for (const operation of asked) {
      const path = operation.path.replaceAll(/\{\w+\}/g, '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50');
      const body = operation.requestBody?.content?.['application/json']?.example;
      const answer = await admin.request(operation.method, path, body === undefined ? {} : { body });
      expect({ path, status: answer.status, body: answer.body }).toEqual({
        path,
        status: 503,
        body: { detail: 'service_unavailable' },
      });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect({ path, deviations: document.deviations(operation, answer) }).toEqual({ path, deviations: [] });
    }
    expect((await client.request('GET', '/health/live')).status).toBe(200);
  });
});
