import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { signToken, type ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import { JWT_SECRET, type RunningService } from '../combination.js';
import { OpenStream } from './open-stream.js';

/** Watching deliveries as they change. */
export function streaming(running: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;
  const streams: OpenStream[] = [];

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await running().clientOf('stream');
    await api.post('/subscriptions', {
      event: 'stream.made',
      url: `${receiver.url}/in`,
      retry_schedule: [1],
    });
  });

  afterAll(async () => {
    for (const stream of streams) stream.close();
    await receiver?.close();
  });

  const open = async (query = '', tenantId = 'stream', lastId?: string): Promise<OpenStream> => {
    const url = `${running().server.url}/api/v1/tenant/webhooks/stream${query}`;
    const stream = await OpenStream.open(url, {
      authorization: `Bearer ${await signToken({ secret: JWT_SECRET, tenantId })}`,
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    });
    streams.push(stream);
    await eventually(() => expect(stream.frames[0]).toMatchObject({ event: 'ready' }));
    return stream;
  };
  const emit = async (): Promise<string> =>
    (
      await api.post<{ delivery_ids: string[] }>('/deliveries', {
        event: 'stream.made',
        payload: { secret: 'canary' },
      })
    ).body.delivery_ids[0]!;
  const soon = async (check: () => void): Promise<void> => eventually(check, { timeoutMs: 60_000 });

  // Red when another tenant's deliveries are seen, or a change is missed.
  it('tells a tenant of its own deliveries as they change, and goes on where a reader left off', async () => {
    const [mine, theirs] = [await open(), await open('', 'stream_other')];
    expect(mine.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(mine.headers.get('cache-control')).toContain('no-transform');
    expect(mine.headers.get('x-accel-buffering')).toBe('no');
    receiver.queue(503);
    const first = await emit();
    await soon(() => expect(mine.statusesOf(first).at(-1)).toBe('DELIVERED'));
    const { data, id: lastId } = mine.frames.findLast(({ event }) => event === 'delivery')!;
    expect(data).toEqual({
      ...{ id: first, event: 'stream.made', status: 'DELIVERED', attempts: 2 },
      ...{ subscription_id: expect.any(String), version: expect.any(Number) },
    });
    const versions = mine.frames.flatMap(({ data: of }) =>
      of['id'] === first ? [Number(of['version'])] : [],
    );
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    mine.close();

    const second = await emit();
    const again = await open('', 'stream', lastId);
    await soon(() => expect(again.statusesOf(second).at(-1)).toBe('DELIVERED'));
    expect(again.statusesOf(first)).toEqual([]);
    const strange = await open('', 'stream', 'not-of-ours');
    await soon(() => expect(strange.frames.map(({ event }) => event)).toContain('resync'));
    expect(theirs.frames.map(({ event }) => event)).toEqual(['ready']);
  }, 120_000);

  it('ends when it is asked to, and has a bound for each tenant', async () => {
    const short = await open('?max_seconds=1', 'stream_short');
    await soon(() => expect(short.ended).toBe(true));
    expect(short.frames.at(-1)).toMatchObject({ event: 'bye', data: { reason: 'max_seconds' } });
    const many = await Promise.all(Array.from({ length: 20 }, () => open('', 'stream_many')));
    const client = await running().clientOf('stream_many');
    expect(await client.get('/stream')).toMatchObject({ status: 429, body: { detail: 'too_many_streams' } });
    for (const stream of many) stream.close();
    await eventually(async () => expect((await client.get('/stream?max_seconds=1')).status).toBe(200), {
      timeoutMs: 30_000,
    });
    expect(await client.get('/stream?max_seconds=0')).toMatchObject({ status: 400 });
  }, 120_000);
}
