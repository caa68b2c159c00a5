import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpSendRequest } from '../../src/modules/webhooks/application/ports/http-sender.js';
import {
  AxiosHttpSender,
  type HttpSenderOptions,
} from '../../src/modules/webhooks/infrastructure/http/axios-http-sender.js';
import { eventually } from '../support/eventually.js';
import { answer, type Behaviour, RawServer } from '../support/raw-server.js';

const TARGETS = { allowInsecureTargets: 'loopback', egressAllowCidrs: [], ownHosts: [] } as const;
/** Short enough for a quick suite, long enough for a busy machine to answer loopback requests within it. */
const SHORT_BUDGET_MS = 300;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function senderOf(options: Partial<HttpSenderOptions> = {}): AxiosHttpSender {
  const sender = new AxiosHttpSender({ targets: TARGETS, ...options });
  cleanups.push(() => sender.close());
  return sender;
}

async function serverOf(behaviour: Behaviour): Promise<RawServer> {
  const server = await RawServer.start(behaviour);
  cleanups.push(() => server.stop());
  return server;
}

function requestTo(url: string, change: Partial<HttpSendRequest> = {}): HttpSendRequest {
  return {
    url,
    headers: { 'Content-Type': 'application/json' },
    body: '{"a":1}',
    timeoutMs: 20_000,
    ...change,
  };
}

describe('responses', () => {
  it('sends the body byte for byte with the given headers and none that axios likes to add', async () => {
    const server = await serverOf(answer(200, 'ok'));
    const body = '{"b":1,"a":"ñ€😀\\u0000"}';
    const headers = { 'Content-Type': 'application/json', 'X-Event': 'test', 'webhook-id': 'msg_1' };
    const result = await senderOf().send(requestTo(server.url('/in?x=%20y'), { body, headers }));
    expect(result).toMatchObject({ kind: 'response', statusCode: 200, retryAfter: null, responseBody: 'ok' });
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.path).toBe('/in?x=%20y');
    expect(server.requests[0]!.body.equals(Buffer.from(body))).toBe(true);
    expect([...server.requests[0]!.headerLines].sort()).toEqual([
      'Content-Type: application/json',
      'X-Event: test',
      'connection: keep-alive',
      `content-length: ${Buffer.byteLength(body)}`,
      `host: 127.0.0.1:${server.port}`,
      'webhook-id: msg_1',
    ]);
  });

  it('adds no content type of its own and sends an empty body', async () => {
    const server = await serverOf(answer(200));
    await senderOf().send(requestTo(server.url(), { body: '', headers: {} }));
    expect(server.requests[0]!.headerLines.join('\n')).not.toMatch(/content-type/i);
    expect(server.requests[0]!.headerLines).toContain('content-length: 0');
  });

  it.each([200, 201, 202, 404, 410, 429, 500, 503])('reports %d as it is', async (status) => {
    const server = await serverOf(answer(status, 'text'));
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ kind: 'response', statusCode: status, responseBody: 'text' });
  });

  it('reports 204 without a body', async () => {
    const server = await serverOf(({ socket }) => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ kind: 'response', statusCode: 204, responseBody: '' });
  });

  it('reads no body after 304, and takes one of HTTP/1.0 that ends with the connection', async () => {
    const server = await serverOf((request) => {
      if (request.path === '/304')
        request.socket.write('HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n');
      else request.socket.end('HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello');
    });
    const sender = senderOf();
    expect(await sender.send(requestTo(server.url('/304')))).toMatchObject({
      statusCode: 304,
      responseBody: '',
    });
    expect(await sender.send(requestTo(server.url()))).toMatchObject({
      statusCode: 200,
      responseBody: 'hello',
    });
  });

  it.each([300, 301, 302, 303, 307, 308])('does not follow %d', async (status) => {
    const canary = await serverOf(answer(200));
    const server = await serverOf(answer(status, '', [`Location: ${canary.url()}`]));
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ kind: 'response', statusCode: status });
    expect(canary.connections).toBe(0);
    expect(server.requests).toHaveLength(1);
  });

  it('hands over Retry-After as it was written, the first when there are two', async () => {
    const server = await serverOf(answer(503, '', ['Retry-After: 120', 'Retry-After: 7']));
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ kind: 'response', statusCode: 503, retryAfter: '120' });
  });

  it('ignores proxies of the environment', async () => {
    const proxy = await serverOf(answer(502));
    const server = await serverOf(answer(200));
    const saved = { ...process.env };
    cleanups.push(async () => void (process.env = saved));
    process.env = {
      ...saved,
      HTTP_PROXY: proxy.url('/'),
      http_proxy: proxy.url('/'),
      ALL_PROXY: proxy.url('/'),
    };
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({ statusCode: 200 });
    expect(proxy.connections).toBe(0);
  });
});

describe('bodies that misbehave', () => {
  const ENDLESS_HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

  it('takes a 200 with 100 MB for a 200 and stops reading', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    let wrote = 0;
    const server = await serverOf(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${100 * chunk.length}\r\n\r\n`);
      const more = (): void => {
        while (wrote < 100 && !socket.destroyed) {
          wrote += 1;
          if (!socket.write(chunk)) return void socket.once('drain', more);
        }
      };
      more();
    });
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ kind: 'response', statusCode: 200, responseBody: 'x'.repeat(4096) });
    await eventually(() => expect(server.requests[0]!.socket.destroyed).toBe(true), {
      message: 'the connection is dropped',
    });
    expect(wrote).toBeLessThan(20);
  });

  it('takes a 200 with a dripping, endless body for a 200, within the budget', async () => {
    const server = await serverOf(({ socket }) => {
      socket.write(ENDLESS_HEAD);
      const drip = setInterval(() => socket.write('1\r\nd\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    const result = await senderOf().send(requestTo(server.url(), { timeoutMs: SHORT_BUDGET_MS }));
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
    expect(result.kind === 'response' && result.responseBody).toMatch(/^d+$/);
    expect(result.durationMs).toBeLessThan(SHORT_BUDGET_MS * 20);
    await eventually(() => expect(server.requests[0]!.socket.destroyed).toBe(true), {
      message: 'the connection is dropped',
    });
  });

  it.each([
    ['closes', 'Content-Length: 100', (end: () => void) => end()],
    ['breaks its chunks', 'Transfer-Encoding: chunked', () => {}],
  ])('takes the status when the peer %s mid-body', async (_what, header, after) => {
    const server = await serverOf(({ socket }) => {
      socket.write(`HTTP/1.1 500 Oops\r\n${header}\r\n\r\n`);
      socket.write(header.startsWith('T') ? '4\r\nhalf\r\nZZ\r\n' : 'half', () => after(() => socket.end()));
    });
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ kind: 'response', statusCode: 500, responseBody: 'half' });
  });

  it('does not inflate', async () => {
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024));
    const server = await serverOf(answer(200, bomb.subarray(0, 8_000), ['Content-Encoding: gzip']));
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ kind: 'response', statusCode: 200 });
    const stored = result.kind === 'response' ? result.responseBody : '';
    expect(stored.startsWith('\u001f\uFFFD')).toBe(true);
    expect(stored).not.toContain('\0');
    expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(4096);
  });

  it('keeps NUL and invalid UTF-8 out of the stored text', async () => {
    const server = await serverOf(answer(400, Buffer.from([0x61, 0, 0xff, 0xc3, 0x28, 0x62])));
    const result = await senderOf().send(requestTo(server.url()));
    expect(result).toMatchObject({ responseBody: 'a\uFFFD\uFFFD\uFFFD(b' });
  });

  it('uses the connection again after a body that was read to its end', async () => {
    const server = await serverOf(answer(200, 'y'.repeat(60_000)));
    const sender = senderOf({ connectionsPerOrigin: 1 });
    await sender.send(requestTo(server.url()));
    await sender.send(requestTo(server.url()));
    expect(server.connections).toBe(1);
  });
});

describe('failures', () => {
  it('calls silence a timeout, within the budget', async () => {
    const server = await serverOf(() => {});
    const result = await senderOf().send(requestTo(server.url(), { timeoutMs: SHORT_BUDGET_MS }));
    expect(result).toMatchObject({ kind: 'failure', errorClass: 'timeout', error: 'Request timeout (0.3s)' });
    expect(result.durationMs).toBeGreaterThanOrEqual(SHORT_BUDGET_MS - 2);
    expect(result.durationMs).toBeLessThan(SHORT_BUDGET_MS * 20);
    await eventually(() => expect(server.requests[0]!.socket.destroyed).toBe(true), {
      message: 'the connection is dropped',
    });
  });

  it('calls headers that drip a timeout: the budget is total, not idle', async () => {
    const server = await serverOf(({ socket }) => {
      const text = 'HTTP/1.1 200 OK\r\nX-Long: ' + 'z'.repeat(1_000);
      let at = 0;
      const drip = setInterval(() => socket.write(text[at++] ?? ''), 10);
      socket.on('close', () => clearInterval(drip));
    });
    const result = await senderOf().send(requestTo(server.url(), { timeoutMs: SHORT_BUDGET_MS }));
    expect(result).toMatchObject({ kind: 'failure', errorClass: 'timeout' });
    expect(result.durationMs).toBeLessThan(SHORT_BUDGET_MS * 20);
  });

  it('calls endless informational responses a timeout', async () => {
    const server = await serverOf(({ socket }) => {
      const drip = setInterval(() => socket.write('HTTP/1.1 102 Processing\r\n\r\n'), 10);
      socket.on('close', () => clearInterval(drip));
    });
    const result = await senderOf().send(requestTo(server.url(), { timeoutMs: SHORT_BUDGET_MS }));
    expect(result).toMatchObject({ kind: 'failure', errorClass: 'timeout' });
  });

  it('names a refused connection', async () => {
    const server = await RawServer.start(() => {});
    const url = server.url();
    await server.stop();
    const result = await senderOf().send(requestTo(url));
    expect(result).toMatchObject({
      kind: 'failure',
      errorClass: 'connection_refused',
      error: 'Connection error: connection refused',
    });
  });

  it('names a reset', async () => {
    const server = await serverOf(({ socket }) => void socket.resetAndDestroy());
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({
      errorClass: 'connection_reset',
      error: 'Connection error: connection reset',
    });
  });

  it('names a connection closed without a response', async () => {
    const server = await serverOf(({ socket }) => void socket.end());
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({
      errorClass: 'connection_reset',
      error: 'Connection error: connection closed before the response',
    });
  });

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n'],
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('names %s as no HTTP', async (_what, reply) => {
    const server = await serverOf(({ socket }) => socket.write(reply));
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({
      kind: 'failure',
      errorClass: 'other',
      error: 'Connection error: response is not valid HTTP',
    });
  });

  it('stops at 16 KiB of response headers', async () => {
    const server = await serverOf(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nX-Bomb: ${'b'.repeat(20_000)}\r\nContent-Length: 0\r\n\r\n`);
    });
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({
      kind: 'failure',
      errorClass: 'other',
      error: 'Connection error: response headers over 16 KiB',
    });
  });

  it.each([
    [{ 'X-A': 'a\r\nX-Injected: 1' }, 'characters that are not allowed'],
    [{ 'X-A': 'a\0b' }, 'characters that are not allowed'],
    [{ 'X-A': 'snow \u2603' }, 'characters that are not allowed'],
    [{ 'X-A\r\nX-Injected': '1' }, 'is not valid'],
    [{ 'X A': '1' }, 'is not valid'],
    [{ '': '1' }, 'is not valid'],
    [{ Host: 'internal' }, 'must not be set'],
    [{ 'Transfer-Encoding': 'chunked' }, 'must not be set'],
    [{ 'content-length': '3' }, 'must not be set'],
    [{ 'X-A': '1', 'x-a': '2' }, 'given twice'],
  ])('refuses headers %j instead of mending them', async (headers, problem) => {
    const server = await serverOf(answer(200));
    const result = await senderOf().send(requestTo(server.url(), { headers }));
    expect(result).toMatchObject({ kind: 'failure', errorClass: 'other' });
    expect(result.kind === 'failure' && result.error).toContain(problem);
    expect(server.connections).toBe(0);
  });

  it('does not send after close', async () => {
    const server = await serverOf(answer(200));
    const sender = senderOf();
    await sender.send(requestTo(server.url()));
    await sender.close();
    await eventually(() => expect(server.openConnections).toBe(0), { message: 'connections are closed' });
    expect(await sender.send(requestTo(server.url()))).toMatchObject({
      kind: 'failure',
      errorClass: 'other',
    });
    expect(server.requests).toHaveLength(1);
  });
});
