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

describe('kept connections', () => {
  it('opens a new one when the peer closed it while idle', async () => {
    const server = await serverOf((request) => {
      answer(200)(request);
      request.socket.end();
    });
    const sender = senderOf({ connectionsPerOrigin: 1 });
    for (let i = 0; i < 50; i += 1) {
      expect(await sender.send(requestTo(server.url(`/${i}`)))).toMatchObject({ statusCode: 200 });
    }
    expect(new Set(server.requests.map(({ path }) => path)).size).toBe(50);
    expect(server.requests).toHaveLength(50);
  });

  it('never sends a request twice that the peer got before it reset', async () => {
    const server = await serverOf((request) => {
      if (request.turn === 1) answer(200)(request);
      else request.socket.resetAndDestroy();
    });
    const sender = senderOf({ connectionsPerOrigin: 1 });
    await sender.send(requestTo(server.url('/first')));
    expect(await sender.send(requestTo(server.url('/second')))).toMatchObject({
      errorClass: 'connection_reset',
    });
    expect(await sender.send(requestTo(server.url('/third')))).toMatchObject({ statusCode: 200 });
    expect(server.requests.map(({ path }) => path)).toEqual(['/first', '/second', '/third']);
  });

  it.each([1, 2])(
    'opens at most %d per origin; who waits too long is never sent',
    async (connectionsPerOrigin) => {
      const waiting: (() => void)[] = [];
      const server = await serverOf((request) => void waiting.push(() => answer(200)(request)));
      const sender = senderOf({ connectionsPerOrigin });
      const held = Array.from({ length: connectionsPerOrigin }, () =>
        sender.send(requestTo(server.url('/held'))),
      );
      await eventually(() => expect(waiting.length).toBe(connectionsPerOrigin), {
        message: 'all are under way',
      });
      const late = await sender.send(requestTo(server.url('/late'), { timeoutMs: SHORT_BUDGET_MS }));
      expect(late).toMatchObject({ errorClass: 'timeout' });
      const next = sender.send(requestTo(server.url('/next')));
      for (const release of waiting.splice(0)) release();
      for (const result of await Promise.all(held)) expect(result).toMatchObject({ statusCode: 200 });
      await eventually(() => expect(waiting.length).toBe(1), { message: 'the next request arrives' });
      waiting[0]!();
      expect(await next).toMatchObject({ statusCode: 200 });
      expect(server.requests.map(({ path }) => path)).toEqual([...held.map(() => '/held'), '/next']);
      // The stale request did not cost a connection either.
      expect(server.connections).toBe(connectionsPerOrigin);
    },
  );
});
