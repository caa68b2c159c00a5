import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver, type ReceivedRequest } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

/** Endpoints that want their events one after the other. */
export function ordering(service: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await service().clientOf('ordering');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (event: string, wish: object = {}): Promise<string> => {
    const url = `${receiver.url}/${event}`;
    const made = await api.post<{ id: string }>('/subscriptions', { event, url, ordering: 'fifo', ...wish });
    expect(made).toMatchObject({ status: 201, body: { ordering: 'fifo' } });
    return made.body.id;
  };
  const emit = async (event: string, n: number, key?: string): Promise<string> => {
    const body = { event, payload: { n, key }, ...(key === undefined ? {} : { ordering_key: key }) };
    const made = await api.post<{ delivery_ids: string[] }>('/deliveries', body);
    expect(made.status).toBe(202);
    return made.body.delivery_ids[0]!;
  };
  const shows = async (id: string, expected: object): Promise<void> => {
    await eventually(async () => expect((await api.get(`/deliveries/${id}`)).body).toMatchObject(expected), {
      ...{ timeoutMs: 60_000, intervalMs: 50 },
    });
  };
  const payloadOf = ({ rawBody }: ReceivedRequest): { n: number; key?: string } =>
    JSON.parse(rawBody.toString()) as { n: number; key?: string };
  const arrived = (event: string): { n: number; key?: string }[] =>
    receiver.requests.filter(({ url }) => url === `/${event}`).map(payloadOf);

  // Red when a claim goes by what is due: what is retried is overtaken, and several are under way.
  it('sends one of each key at a time, in the order of the emits, whatever fails in between', async () => {
    const event = 'ordered.mixed';
    await subscribe(event);
    const underWay = new Map<string, number>();
    let most = 0;
    receiver.behave(async (request, index) => {
      const { key = '' } = payloadOf(request);
      underWay.set(key, (underWay.get(key) ?? 0) + 1);
      most = Math.max(most, underWay.get(key) ?? 0);
      await new Promise((resolve) => setTimeout(resolve, index % 5));
      underWay.set(key, (underWay.get(key) ?? 0) - 1);
      return index === 7 || index === 19 ? 503 : 200;
    });
    const keys = ['a', 'b', undefined];
    const ids: string[] = [];
    for (let n = 0; n < 45; n += 1) ids.push(await emit(event, n, keys[n % 3]));
    for (const id of ids) await shows(id, { status: 'DELIVERED', held_reason: null, blocked_by: null });
    expect(most).toBe(1);
    for (const key of keys) {
      const numbers = arrived(event).flatMap((one) => (one.key === key ? [one.n] : []));
      const once = numbers.filter((n, at) => n !== numbers[at - 1]);
      expect(once).toEqual(Array.from({ length: 15 }, (_unused, n) => n * 3 + keys.indexOf(key)));
    }
    expect(arrived(event)).toHaveLength(47);
    receiver.behave(200);
  }, 120_000);

  it('holds what is behind one that fails, and says what for; cancelling it, or its end, lets the next go', async () => {
    const event = 'ordered.stuck';
    const id = await subscribe(event, { retry_schedule: [3_600] });
    receiver.behave(({ url }) => (url === `/${event}` ? 500 : 200));
    const [first, second, third, other] = [
      await emit(event, 1),
      await emit(event, 2),
      await emit(event, 3),
      await emit(event, 4, 'another'),
    ];
    await shows(first, { status: 'PENDING', attempts: 1, held_reason: null });
    for (const waiting of [second, third]) {
      await shows(waiting, { status: 'PENDING', attempts: 0, held_reason: 'order', blocked_by: first });
    }
    await shows(other, { status: 'PENDING', attempts: 1 });
    expect(await api.post(`/deliveries/${third}/retry`, { force: true })).toMatchObject({
      ...{ status: 409, body: { detail: 'not_next_in_order' } },
    });
    receiver.behave(({ rawBody }) => (rawBody.toString().includes('"n":3') ? 404 : 200));
    expect((await api.post(`/deliveries/${first}/cancel`)).status).toBe(200);
    await shows(second, { status: 'DELIVERED', attempts: 1 });
    await shows(third, { status: 'FAILED', last_error: 'HTTP 404' });
    // By hand, the head that waits for its retry goes now.
    expect((await api.post(`/deliveries/${other}/retry`, { force: true })).status).toBe(202);
    await shows(other, { status: 'DELIVERED', attempts: 2 });

    // What is sent again goes before what waits, in the old order.
    receiver.behave(200);
    expect((await api.post(`/subscriptions/${id}/pause`)).status).toBe(200);
    const fifth = await emit(event, 5);
    for (const again of [third, first])
      expect((await api.post(`/deliveries/${again}/retry`)).status).toBe(202);
    await shows(fifth, { status: 'PENDING', held_reason: 'paused' });
    expect((await api.post(`/subscriptions/${id}/resume`)).status).toBe(200);
    await shows(fifth, { status: 'DELIVERED' });
    const keyless = arrived(event).filter(({ key }) => key === undefined);
    expect(keyless.slice(-3).map(({ n }) => n)).toEqual([1, 3, 5]);
  }, 120_000);
}
