import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

/** An endpoint that says "not now" gets nothing before the time that it asks for, and then everything. */
export function throttling(service: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await service().clientOf('throttling');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const emit = async (event: string): Promise<string> => {
    const made = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload: {} });
    expect(made.status).toBe(202);
    return made.body.delivery_ids[0]!;
  };
  const shows = async (id: string, expected: object): Promise<void> => {
    await eventually(async () => expect((await api.get(`/deliveries/${id}`)).body).toMatchObject(expected), {
      ...{ timeoutMs: 60_000, intervalMs: 50 },
    });
  };

  // Red when the wait is the delivery's alone: the second request comes at once. Inline, when a request waits for what is held.
  it('holds the whole endpoint for as long as it asks, drops nothing, and lets it go with a reset', async () => {
    const event = 'throttled.once';
    const made = await api.post<{ id: string }>('/subscriptions', { event, url: receiver.url });
    receiver.queue({ status: 429, headers: { 'Retry-After': '3' } });
    const first = await emit(event);
    await shows(first, { status: 'PENDING', attempts: 1, last_error: 'HTTP 429', held_reason: 'throttled' });
    const askedAtMs = receiver.requests[0]!.receivedAtMs;
    const begunAt = Date.now();
    const others = [await emit(event), await emit(event)];
    expect(Date.now() - begunAt).toBeLessThan(10_000);
    for (const id of others) await shows(id, { status: 'DELIVERED', attempts: 1, held_reason: null });
    await shows(first, { status: 'DELIVERED', attempts: 2 });
    const [, ...later] = receiver.requests;
    expect(later).toHaveLength(3);
    for (const { receivedAtMs } of later) expect(receivedAtMs - askedAtMs).toBeGreaterThanOrEqual(2_950);

    receiver.queue({ status: 503, headers: { 'Retry-After': '3600' } });
    const held = await emit(event);
    await shows(held, {
      status: 'PENDING',
      attempts: 1,
      held_reason: 'throttled',
      held_until: expect.any(String),
    });
    const waiting = await emit(event);
    await shows(waiting, { status: 'PENDING', attempts: 0, last_error: null, held_reason: 'throttled' });
    expect((await api.post(`/subscriptions/${made.body.id}/reset-circuit`)).status).toBe(200);
    await shows(waiting, { status: 'DELIVERED', attempts: 1, held_reason: null });
    // Its own retry keeps its time.
    await shows(held, { status: 'PENDING', attempts: 1, held_reason: null });
    expect((await api.post(`/deliveries/${held}/retry`, { force: true })).status).toBe(202);
    await shows(held, { status: 'DELIVERED', attempts: 2 });
  }, 120_000);
}
