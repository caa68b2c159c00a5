import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { signToken, type ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import { JWT_SECRET, type RunningService } from '../combination.js';

interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An open stream, as a panel reads it. */
class OpenStream {
  private text = '';
  private isOver = false;

  private constructor(
    private readonly response: Response,
    private readonly abort: AbortController,
  ) {}

  static async open(url: string, tenantId: string, lastId?: string): Promise<OpenStream> {
    const abort = new AbortController();
    const token = await signToken({ secret: JWT_SECRET, tenantId });
    const response = await fetch(url, {
      headers: {
        authorization: `Bearer ${token}`,
        ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
      },
      signal: abort.signal,
    });
    expect(response.status).toBe(200);
    const stream = new OpenStream(response, abort);
    void stream.read();
    return stream;
  }

  get headers(): Headers {
    return this.response.headers;
  }

  get ended(): boolean {
    return this.isOver;
  }

  get frames(): Frame[] {
    const blocks = this.text.split('\n\n').filter((block) => /^event: /m.test(block));
    return blocks.map((block) => ({
      id: /^id: (.*)$/m.exec(block)?.[1],
      event: /^event: (.*)$/m.exec(block)?.[1],
      data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '{}') as Record<string, unknown>,
    }));
  }

  /** Of one delivery, in the order in which they came. */
  statusesOf(id: string): unknown[] {
    return this.frames.filter(({ data }) => data['id'] === id).map(({ data }) => data['status']);
  }

  close(): void {
    this.abort.abort();
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body!)
        this.text += decoder.decode(chunk as Uint8Array, { stream: true });
    } catch (cause) {
      if (!this.abort.signal.aborted) throw cause;
    }
    this.isOver = true;
  }
}

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
    const stream = await OpenStream.open(url, tenantId, lastId);
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
