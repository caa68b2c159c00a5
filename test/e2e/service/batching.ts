import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { WebhookSignature } from '../../../src/modules/webhooks/index.js';
import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver, type ReceivedRequest } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

const SECRET = 'a-secret-of-batches';

/** Endpoints that take several events in one request. */
export function batching(service: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await service().clientOf('batching');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (event: string, wish: object): Promise<string> => {
    const url = `${receiver.url}/${event}`;
    const made = await api.post<{ id: string }>('/subscriptions', { event, url, secret: SECRET, ...wish });
    expect(made.status).toBe(201);
    return made.body.id;
  };
  const emit = async (event: string, n: number): Promise<string> => {
    const made = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload: { n } });
    expect(made.status).toBe(202);
    return made.body.delivery_ids[0]!;
  };
  const emitAll = async (event: string, numbers: readonly number[]): Promise<string[]> => {
    const ids: string[] = [];
    for (const n of numbers) ids.push(await emit(event, n));
    return ids;
  };
  const shows = async (id: string, expected: object): Promise<void> => {
    await eventually(async () => expect((await api.get(`/deliveries/${id}`)).body).toMatchObject(expected), {
      ...{ timeoutMs: 60_000, intervalMs: 50 },
    });
  };
  const requestsTo = (event: string): ReceivedRequest[] =>
    receiver.requests.filter(({ url }) => url === `/${event}`);
  const numbersIn = ({ rawBody }: ReceivedRequest): number[] =>
    (JSON.parse(rawBody.toString()) as { n?: number; data?: { n: number } }[]).map(
      (one) => one.n ?? one.data!.n,
    );

  // Red when each delivery is a request; inline, when a request waits for a batch to close.
  it('sends what came together as an array with one signature, when it is full or has waited long enough', async () => {
    const event = 'batched.closed';
    const batch = { max_events: 3, max_wait_ms: 1_500 };
    const id = await subscribe(event, { batch, template: 'cloudevents' });
    expect((await api.get(`/subscriptions/${id}`)).body).toMatchObject({ batch });
    const begunAt = Date.now();
    const ids = await emitAll(event, [1, 2, 3]);
    const lastAt = Date.now();
    ids.push(await emit(event, 4));
    expect(Date.now() - begunAt).toBeLessThan(10_000);
    for (const one of ids) await shows(one, { status: 'DELIVERED', attempts: 1, held_reason: null });
    const [full, late, ...more] = requestsTo(event);
    expect(more).toEqual([]);
    expect(numbersIn(full!)).toEqual([1, 2, 3]);
    expect(full!.headers).toMatchObject({
      ...{ 'content-type': 'application/cloudevents-batch+json', 'x-event': event },
      'x-delivery-ids': ids.slice(0, 3).join(','),
      'x-delivery-id': full!.headers['webhook-id'],
    });
    expect(ids).not.toContain(full!.headers['webhook-id']);
    expect(
      WebhookSignature.verifyRaw(SECRET, full!.rawBody, String(full!.headers['x-signature'])),
    ).toBeTruthy();
    // Of one it is an array as well, with the delivery's own id.
    expect(numbersIn(late!)).toEqual([4]);
    expect(late!.headers).toMatchObject({ 'webhook-id': ids[3], 'x-delivery-ids': ids[3] });
    // However late the full one came on a slow machine.
    expect(late!.receivedAtMs - lastAt).toBeGreaterThanOrEqual(1_450);
  }, 60_000);

  it('tries what failed again together, and the last time one by one; each has attempts of its own', async () => {
    const event = 'batched.failing';
    await subscribe(event, { batch: { max_events: 3, max_wait_ms: 5_000 }, retry_schedule: [1, 1] });
    receiver.behave(({ url, rawBody }) =>
      url !== `/${event}` || !rawBody.toString().includes('"n":2') ? 200 : 500,
    );
    const [one, two, three] = await emitAll(event, [1, 2, 3]);
    await shows(one!, { status: 'DELIVERED', attempts: 3 });
    await shows(three!, { status: 'DELIVERED', attempts: 3 });
    await shows(two!, {
      ...{ status: 'FAILED', attempts: 3, last_error: 'HTTP 500' },
      attempt_log: [{ status_code: 500 }, { status_code: 500 }, { status_code: 500 }],
    });
    const requests = requestsTo(event);
    expect(requests.slice(0, 2).map(numbersIn)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(requests[0]!.headers['webhook-id']).toBe(requests[1]!.headers['webhook-id']);
    expect(requests.slice(2).map(numbersIn).sort()).toEqual([[1], [2], [3]]);
    receiver.behave(200);
  }, 60_000);

  it('sends one by one at once what was refused for good, and keeps an order', async () => {
    const event = 'batched.refused';
    await subscribe(event, { batch: { max_events: 3, max_wait_ms: 5_000 }, ordering: 'fifo' });
    receiver.behave(({ url, rawBody }) =>
      url !== `/${event}` || !rawBody.toString().includes('"n":2') ? 200 : 422,
    );
    const [one, two, three] = await emitAll(event, [1, 2, 3]);
    await shows(two!, { status: 'FAILED', attempts: 2, last_error: 'HTTP 422' });
    await shows(one!, { status: 'DELIVERED', attempts: 2 });
    await shows(three!, { status: 'DELIVERED', attempts: 2 });
    expect(requestsTo(event).map(numbersIn)).toEqual([[1, 2, 3], [1], [2], [3]]);
    receiver.behave(200);
  }, 60_000);
}
