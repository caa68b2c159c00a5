import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

/** What a tenant, and an operator, is shown of deliveries and of what they came to. */
export function lookingUp(running: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await running().clientOf('looking_up');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (event: string, wish: object = {}): Promise<string> => {
    const url = `${receiver.url}/${event}`;
    const made = await api.post<{ id: string }>('/subscriptions', { event, url, ...wish });
    expect(made.status).toBe(201);
    return made.body.id;
  };
  const emit = async (event: string, payload: object = {}): Promise<string> => {
    const { body } = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload });
    return body.delivery_ids[0]!;
  };
  const shows = async (id: string, expected: object): Promise<void> => {
    await eventually(async () => expect((await api.get(`/deliveries/${id}`)).body).toMatchObject(expected), {
      ...{ timeoutMs: 60_000, intervalMs: 50 },
    });
  };
  const found = async (query: string): Promise<string[]> => {
    const answer = await api.get<{ id: string }[]>(`/deliveries?${query}`);
    expect(answer.status).toBe(200);
    return answer.body.map(({ id }) => id);
  };

  // Red when the headers of an answer are kept as they came, or a filter is not asked.
  it('keeps what was answered without secrets, and finds deliveries by what they came to', async () => {
    const key = 'a-key-that-must-not-be-kept';
    await subscribe('found.bad', { headers: { 'X-Api-Key': key }, retry_schedule: [] });
    await subscribe('found.good');
    const headers = { 'Set-Cookie': 'sid=of-the-receiver', 'X-Seen': `key ${key}`, 'X-Plain': 'yes' };
    receiver.behave(({ url }) => (url === '/found.bad' ? { status: 503, headers, body: `got ${key}` } : 200));
    const bad = await emit('found.bad', { resource_id: 'F-2026-1' });
    const good = await emit('found.good', { resource_id: 'F-2026-2' });
    await shows(bad, {
      ...{ status: 'FAILED', last_status_code: 503, last_error_class: 'http_5xx' },
      last_duration_ms: expect.any(Number),
      attempt_log: [
        {
          response_headers: { 'set-cookie': '***', 'x-seen': 'key ***', 'x-plain': 'yes' },
          response_body: 'got ***',
        },
      ],
    });
    await shows(good, { status: 'DELIVERED', last_status_code: 200, last_error_class: null });
    expect((await api.get(`/deliveries/${bad}`)).text).not.toMatch(/must-not-be-kept|of-the-receiver/);
    for (const query of ['http_class=5xx', 'error_class=http_5xx', 'q=F-2026-1', `q=${bad}`]) {
      expect(await found(query)).toEqual([bad]);
    }
    for (const query of ['http_class=2xx', 'q=F-2026-2', `q=${good}&status=DELIVERED`]) {
      expect(await found(query)).toEqual([good]);
    }
    for (const query of ['http_class=4xx', 'error_class=timeout', 'q=F-2026', 'q=F-2026-1&http_class=2xx']) {
      expect(await found(query)).toEqual([]);
    }
  }, 120_000);

  it('sends nothing again beside an attempt that is under way, and nobody’s events under its own names', async () => {
    await subscribe('busy.slow');
    receiver.behave(({ url }) => (url === '/busy.slow' ? { status: 200, delayMs: 1_500 } : 200));
    const begun = emit('busy.slow');
    await eventually(async () => expect(await found('event=busy.slow&status=SENDING')).toHaveLength(1), {
      timeoutMs: 30_000,
    });
    const [id] = await found('event=busy.slow');
    const refused = await api.post(`/deliveries/${id}/retry`, { force: true });
    expect(refused).toMatchObject({ status: 409, body: { detail: 'delivery_sending' } });
    expect(await begun).toBe(id);
    await shows(id!, { status: 'DELIVERED', attempts: 1 });
    const own = await api.post('/deliveries', { event: 'webhook.endpoint.failing', payload: {} });
    expect(own).toMatchObject({ status: 400, body: { detail: [{ loc: ['body', 'event'] }] } });
  }, 120_000);

  it('counts what is held by its reason', async () => {
    const paused = await subscribe('kept.paused');
    expect((await api.post(`/subscriptions/${paused}/pause`)).status).toBe(200);
    await subscribe('kept.batched', { batch: { max_events: 9, max_wait_ms: 60_000 } });
    await emit('kept.paused');
    await shows(await emit('kept.batched'), { status: 'PENDING', held_reason: 'batching' });
    const metrics = await (await fetch(`${running().server.url}/metrics`)).text();
    for (const reason of ['paused', 'batching']) {
      expect(metrics).toMatch(new RegExp(`^webhook_held\\{reason="${reason}"\\} [1-9]`, 'm'));
    }
  }, 60_000);
}
