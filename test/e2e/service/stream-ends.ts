import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { signToken } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { JWT_SECRET, type RunningService } from '../combination.js';
import { OpenStream } from './open-stream.js';

const HOOKS = '/api/v1/tenant/webhooks';

/** Seconds that the token is good for, beside those of leeway: long enough for a slow machine to open a stream with it. */
const TTL_SECONDS = 5;

/**
 * Streams whose readers may not look any longer. Whether they may is asked every 15 seconds, so the streams are opened early and
 * looked at late, when other suites have taken that time.
 */
export function streamEnds(running: () => RunningService): {
  readonly opened: () => void;
  readonly ended: () => void;
} {
  const streams = new Map<string, OpenStream>();

  const open = async (name: string, headers: Readonly<Record<string, string>>): Promise<void> => {
    streams.set(name, await OpenStream.open(`${running().server.url}${HOOKS}/stream`, headers));
  };

  const cookieOf = async (tenantId: string): Promise<Readonly<Record<string, string>>> => {
    const { url } = running().server;
    const link = await (await running().clientOf(tenantId)).post<{ url: string }>('/panel-sessions');
    const page = { origin: url, 'sec-fetch-site': 'same-origin', 'x-panel': '1' };
    const answer = await fetch(`${url}/panel/session`, {
      method: 'POST',
      headers: { ...page, 'content-type': 'application/json' },
      body: JSON.stringify({ token: link.body.url.split('#s=')[1] }),
    });
    expect(answer.status).toBe(201);
    return { ...page, cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
  };

  const opened = (): void => {
    beforeAll(async () => {
      const tenantId = 'stream_ends';
      const token = async (ttlSeconds: number): Promise<Readonly<Record<string, string>>> => ({
        authorization: `Bearer ${await signToken({ secret: JWT_SECRET, tenantId, ttlSeconds })}`,
      });
      const session = await cookieOf(tenantId);
      await open('expired', await token(TTL_SECONDS));
      await open('closed', session);
      await open('good', await token(3_600));
      const closed = await fetch(`${running().server.url}/panel/session`, {
        ...{ method: 'DELETE', headers: session },
      });
      expect(closed.status).toBe(204);
    });
  };

  // Red when nobody asks again whether whoever reads may: the stream of a token that has expired goes on for good.
  const ended = (): void => {
    afterAll(() => {
      for (const stream of streams.values()) stream.close();
    });

    it('ends with its token or its session, and not before', async () => {
      for (const name of ['expired', 'closed']) {
        const stream = streams.get(name)!;
        await eventually(() => expect(stream.ended).toBe(true), { timeoutMs: 60_000 });
        expect(stream.frames.at(-1)).toMatchObject({ event: 'bye', data: { reason: 'token' } });
      }
      expect(streams.get('good')?.ended).toBe(false);
    }, 90_000);
  };

  return { opened, ended };
}
