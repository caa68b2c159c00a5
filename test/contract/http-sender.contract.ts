import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type {
  HttpSender,
  HttpSendRequest,
  HttpSendResult,
} from '../../src/modules/webhooks/application/ports/http-sender.js';
import type { FakeAnswer } from '../../src/modules/webhooks/testing/fake-http-sender.js';

export interface SenderHarness {
  readonly sender: HttpSender;
  /** An endpoint that answers as it was told. */
  readonly url: string;
  /** A target that the rules refuse. */
  readonly blockedUrl: string;
  /** What the endpoint does next; 200 with an empty body when it was not told. */
  queue(answer: FakeAnswer): void;
  /** What reached the endpoint so far: body and the headers that were given. */
  received(): readonly { readonly body: string; readonly headers: Readonly<Record<string, string>> }[];
  dispose(): Promise<void>;
}

/** Nothing waits for it: however busy the machine is, a loopback request is answered within it. */
const BUDGET_MS = 30_000;
const HANG_BUDGET_MS = 200;

/** What every sender promises to an attempt. How each fails in detail is in the specs of the real one. */
export function httpSenderContract(name: string, open: () => Promise<SenderHarness>): void {
  describe(`${name} as an HttpSender`, () => {
    let harness: SenderHarness;

    beforeEach(async () => {
      harness = await open();
    });

    afterEach(async () => {
      await harness.dispose();
    });

    const send = async (change: Partial<HttpSendRequest> = {}): Promise<HttpSendResult> =>
      harness.sender.send({
        ...{ url: harness.url, headers: { 'x-event': 'thing.done' }, body: '{"a":1}', timeoutMs: BUDGET_MS },
        ...change,
      });

    it('sends the body as it is, with the headers as they are', async () => {
      const body = '{"b":1,"a":"ñ€😀\\u0000"}';
      await send({ body, headers: { 'x-event': 'thing.done', 'webhook-id': 'm1' } });
      expect(harness.received()).toEqual([
        { body, headers: expect.objectContaining({ 'x-event': 'thing.done', 'webhook-id': 'm1' }) },
      ]);
    });

    it.each([200, 204, 301, 404, 410, 429, 500, 503])(
      'takes %i for a response, not for a failure',
      async (status) => {
        harness.queue(status);
        expect(await send()).toEqual({
          ...{ kind: 'response', statusCode: status, retryAfter: null, responseBody: '' },
          responseHeaders: expect.any(Object),
          durationMs: expect.any(Number),
        });
        expect(harness.received()).toHaveLength(1);
      },
    );

    it('gives Retry-After as it came, and the body', async () => {
      harness.queue({ status: 503, body: 'come back later', headers: { 'retry-after': '120' } });
      expect(await send()).toMatchObject({
        statusCode: 503,
        retryAfter: '120',
        responseBody: 'come back later',
      });
    });

    it('gives the headers of the answer, in small letters', async () => {
      harness.queue({ status: 200, headers: { 'x-of-receiver': 'as "it" came' } });
      expect(await send()).toMatchObject({
        responseHeaders: expect.objectContaining({ 'x-of-receiver': 'as "it" came' }),
      });
    });

    it('keeps the first 4 KiB of a body, free of NUL', async () => {
      harness.queue({ status: 200, body: `a\0b${'x'.repeat(10_000)}` });
      const result = await send();
      const kept = result.kind === 'response' ? result.responseBody : '';
      expect(kept.startsWith('a')).toBe(true);
      expect(kept).not.toContain('\0');
      expect(kept.length).toBeGreaterThan(4_000);
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(4_100);
    });

    it.each<[FakeAnswer, string, string]>([
      ['reset', 'connection_reset', 'Connection error: connection reset'],
      ['hang', 'timeout', `Request timeout (${HANG_BUDGET_MS / 1_000}s)`],
    ])(
      'gives a failure, and does not throw, when the endpoint does this: %s',
      async (answer, errorClass, error) => {
        harness.queue(answer);
        const result = await send(answer === 'hang' ? { timeoutMs: HANG_BUDGET_MS } : {});
        expect(result).toEqual({ kind: 'failure', errorClass, error, durationMs: expect.any(Number) });
        if (answer === 'hang') expect(result.durationMs).toBeGreaterThanOrEqual(HANG_BUDGET_MS - 5);
      },
    );

    it('refuses a blocked target in the words of last_error, and sends nothing', async () => {
      expect(await send({ url: harness.blockedUrl })).toMatchObject({
        ...{
          kind: 'failure',
          errorClass: 'blocked',
          error: expect.stringMatching(/^Blocked target: [a-z0-9-]+$/),
        },
      });
      expect(harness.received()).toEqual([]);
    });

    it('writes nothing when it may not at the last moment, and what may be written afterwards', async () => {
      expect(await send({ mayWrite: () => false })).toEqual({
        kind: 'withheld',
        durationMs: expect.any(Number),
      });
      expect(harness.received()).toEqual([]);
      expect(await send({ mayWrite: () => true })).toMatchObject({ kind: 'response' });
      expect(harness.received()).toHaveLength(1);
    });

    it('sends each of many at the same time once', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_unused, n) => send({ body: `{"n":${n}}` })),
      );
      expect(results.filter(({ kind }) => kind === 'response')).toHaveLength(20);
      const bodies = harness.received().map(({ body }) => body);
      expect(new Set(bodies).size).toBe(20);
      expect(bodies).toHaveLength(20);
    });
  });
}
