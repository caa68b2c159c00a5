import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { canListen } from './free-port.js';
import { Receiver } from './receiver.js';

describe('Receiver', () => {
  let receiver: Receiver;

  beforeEach(async () => {
    receiver = await Receiver.start();
  });

  afterEach(async () => {
    await receiver.close();
  });

  const post = (path: string, body: string | Buffer = '{}', signal?: AbortSignal): Promise<Response> =>
    fetch(receiver.url + path, {
      method: 'POST',
      body,
      headers: { 'X-Event': 'test' },
      signal: signal ?? null,
    });

  it('records requests byte for byte and answers 200', async () => {
    const bytes = Buffer.from([0x7b, 0x00, 0xff, 0x7d]);
    const response = await post('/hook?a=1', bytes);

    expect(response.status).toBe(200);
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.requests[0]).toMatchObject({
      method: 'POST',
      url: '/hook?a=1',
      headers: { 'x-event': 'test' },
    });
    expect(receiver.requests[0]?.rawBody.equals(bytes)).toBe(true);
  });

  it('uses up the queue before its behaviour', async () => {
    receiver.queue(500, { status: 429, headers: { 'retry-after': '7' }, body: 'later' });
    receiver.behave((request, index) => ({ status: 201, body: `${request.url} ${index}` }));

    expect((await post('/')).status).toBe(500);
    const second = await post('/');
    expect([second.status, second.headers.get('retry-after'), await second.text()]).toEqual([
      429,
      '7',
      'later',
    ]);
    const third = await post('/third');
    expect([third.status, await third.text()]).toEqual([201, '/third 2']);
  });

  it('can delay, reset and write by hand', async () => {
    receiver.queue({ delayMs: 30, status: 204 }, 'reset', {
      write: (response) => response.socket?.end('garbage'),
    });
    const startedMs = performance.now();

    expect((await post('/')).status).toBe(204);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(29);
    await expect(post('/')).rejects.toThrow('fetch failed');
    await expect(post('/')).rejects.toThrow('fetch failed');
    expect(receiver.requests).toHaveLength(3);
  });

  it('resolves waitForCount when the requests have come, and says how many came when they have not', async () => {
    const two = receiver.waitForCount(2);
    await Promise.all([post('/'), post('/')]);
    await two;

    await expect(receiver.waitForCount(3, 20)).rejects.toThrow('Receiver got 2 of 3 requests within 20 ms');
  });

  it('ends hanging and kept-alive connections when it closes, and frees its port', async () => {
    receiver.queue(200, 'hang');
    await (await post('/')).text();
    const hanging = expect(post('/')).rejects.toThrow('fetch failed');
    await receiver.waitForCount(2);
    const { port } = receiver;

    await receiver.close();
    await hanging;
    expect(await canListen(port)).toBe(true);
  });
});
