import { afterEach, describe, expect, it } from '@jest/globals';
import type { HttpSendRequest } from '../../src/modules/webhooks/application/ports/http-sender.js';
import {
  AxiosHttpSender,
  type HttpSenderOptions,
} from '../../src/modules/webhooks/infrastructure/http/axios-http-sender.js';
import { answer, type Behaviour, RawServer } from '../support/raw-server.js';

const TARGETS = { allowInsecureTargets: 'loopback', egressAllowCidrs: [], ownHosts: [] } as const;

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

describe('informational responses', () => {
  const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
  const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\n\r\n';

  it.each([
    ['100', CONTINUE],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['103', HINTS],
    ['199 without a text', 'HTTP/1.1 199\r\nX-A: b\r\n\r\n'],
    ['100 of HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
    ['many', CONTINUE + HINTS + CONTINUE + CONTINUE],
    ['blank lines between', `\r\n${CONTINUE}\r\n\r\n`],
  ])('passes over them and keeps the connection: %s', async (_what, interim) => {
    const server = await serverOf((request) => {
      request.socket.write(interim);
      answer(200, 'HTTP/1.1 100 Continue\r\n\r\n')(request);
    });
    const sender = senderOf({ connectionsPerOrigin: 1 });
    for (let i = 0; i < 3; i += 1) {
      expect(await sender.send(requestTo(server.url()))).toMatchObject({
        ...{ kind: 'response', statusCode: 200, responseBody: 'HTTP/1.1 100 Continue\r\n\r\n' },
      });
    }
    expect(server.requests).toHaveLength(3);
    expect(server.connections).toBe(1);
  });

  it('passes over them however they are cut', async () => {
    const whole = `${CONTINUE}${HINTS}HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno`;
    const server = await serverOf(({ socket }) => {
      let at = 0;
      const drip = (): void => {
        if (at < whole.length) socket.write(whole[at++] ?? '', () => setImmediate(drip));
      };
      drip();
    });
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({
      ...{ kind: 'response', statusCode: 404, responseBody: 'no' },
    });
  });

  it('does not read a flood of them', async () => {
    const server = await serverOf(({ socket }) => {
      const more = (): void => {
        while (!socket.destroyed) if (!socket.write(HINTS)) return void socket.once('drain', more);
      };
      more();
    });
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({
      ...{ kind: 'failure', errorClass: 'other' },
      error: 'Connection error: more than 64 KiB of interim (1xx) responses',
    });
  });
});

describe('lines that end in LF alone', () => {
  // What `nc` and hand-made servers send.
  it.each([
    'HTTP/1.1 200 OK\n\n',
    'HTTP/1.1 200\nContent-Length: 2\n\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\n\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok',
    'HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n\n',
  ])('says that lines end in CRLF: %j', async (reply) => {
    const server = await serverOf(({ socket }) => socket.write(reply));
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({
      ...{ kind: 'failure', errorClass: 'other' },
      error: 'Connection error: lines of a response must end in CRLF, not in LF alone',
    });
  });

  it('takes LF in a body for what it is', async () => {
    const server = await serverOf(answer(200, 'a\n\nb\n'));
    expect(await senderOf().send(requestTo(server.url()))).toMatchObject({ responseBody: 'a\n\nb\n' });
  });
});
