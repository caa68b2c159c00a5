import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

interface Told {
  readonly event: string;
  readonly resource_id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the service tells of endpoints and deliveries, to those who listen. */
export function operationalEvents(running: () => RunningService): void {
  let receiver: Receiver;

  beforeAll(async () => {
    receiver = await Receiver.start();
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (api: ApiClient, path: string, wish: object): Promise<string> => {
    const made = await api.post<{ id: string }>('/subscriptions', {
      url: `${receiver.url}/${path}?token=t`,
      ...wish,
    });
    expect(made.status).toBe(201);
    return made.body.id;
  };
  const toldAt = (path: string): Told[] =>
    receiver.requests
      .filter(({ url }) => url.startsWith(`/${path}?`))
      .map(({ rawBody }) => JSON.parse(rawBody.toString()) as Told);
  const namesAt = (path: string): string[] => toldAt(path).map(({ event }) => event);
  /** Without what is told of deliveries, which comes once a minute. */
  const ofEndpoints = (path: string): Told[] =>
    toldAt(path).filter(({ event }) => event.startsWith('webhook.endpoint.'));
  const kindsAt = (path: string): string[] =>
    ofEndpoints(path).map(({ event }) => event.slice('webhook.endpoint.'.length));
  const soon = async (check: () => void | Promise<void>): Promise<void> =>
    eventually(check, { timeoutMs: 60_000 });
  const fail = async (api: ApiClient, event: string): Promise<string> => {
    const { body } = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload: {} });
    await soon(async () =>
      expect((await api.get(`/deliveries/${body.delivery_ids[0]}`)).body).toMatchObject({ status: 'FAILED' }),
    );
    return body.delivery_ids[0]!;
  };

  // Red when a transition is not noted, or noted for each result of a batch; and when `*` or the endpoint itself hears of it.
  it('tells of an endpoint that fails, recovers and is gone, once each and in order, and of its deliveries', async () => {
    const api = await running().clientOf('ops');
    await subscribe(api, 'monitor', { event: 'webhook.*' });
    await subscribe(api, 'everything', { event: '*', filter: { no: 1 } });
    await subscribe(api, 'gone-only', {
      ...{ event: 'webhook.endpoint.*', filter: { 'data.disabled_reason': 'gone' }, template: 'standard' },
    });
    const id = await subscribe(api, 'failing', {
      ...{ event: 'ops.made', circuit: { failures: 3 }, retry_schedule: [] },
    });
    let status = 500;
    receiver.behave(({ url }) => (url.startsWith('/failing') ? status : 200));
    const first = await fail(api, 'ops.made');
    await soon(() => expect(namesAt('monitor')).toEqual(['webhook.delivery.exhausted']));
    expect(toldAt('monitor')[0]).toMatchObject({
      ...{ resource_type: 'webhook_delivery', resource_id: first },
      data: {
        ...{ subscription_id: id, url: `${receiver.url}/failing`, events: ['ops.made'] },
        ...{ delivery_id: first, event: 'ops.made', attempts: 1, last_error: 'HTTP 500', count: 1 },
      },
    });
    // Told of again in a minute, with how many there were.
    for (let n = 0; n < 2; n += 1) await fail(api, 'ops.made');
    await soon(() => expect(kindsAt('monitor')).toEqual(['failing']));
    expect(ofEndpoints('monitor')[0]).toMatchObject({
      resource_id: id,
      data: { reason: '3 failed attempts in a row; the last: HTTP 500', next_probe_at: expect.any(String) },
    });

    status = 200;
    expect((await api.post(`/subscriptions/${id}/test`)).body).toMatchObject({ status: 'DELIVERED' });
    expect((await api.post('/deliveries', { event: 'ops.made', payload: {} })).status).toBe(202);
    await soon(() => expect(kindsAt('monitor').slice(1)).toEqual(['recovered']));

    status = 500;
    for (let n = 0; n < 3; n += 1) await fail(api, 'ops.made');
    await soon(() => expect(kindsAt('monitor').slice(2)).toEqual(['failing']));
    expect((await api.post(`/subscriptions/${id}/reset-circuit`)).status).toBe(200);
    await soon(() => expect(kindsAt('monitor').slice(3)).toEqual(['recovered']));
    expect(ofEndpoints('monitor').slice(1)).toMatchObject([
      { data: { reason: 'A probe arrived' } },
      { data: { reason: '3 failed attempts in a row; the last: HTTP 500' } },
      { data: { reason: 'Reset by hand' } },
    ]);

    status = 410;
    await fail(api, 'ops.made');
    await soon(() => expect(kindsAt('monitor').slice(4)).toEqual(['disabled']));
    expect(ofEndpoints('monitor')[4]).toMatchObject({
      data: { reason: 'The endpoint answered 410 Gone', disabled_reason: 'gone' },
    });
    await soon(() => expect(namesAt('gone-only')).toHaveLength(1));
    expect(toldAt('everything')).toEqual([]);
    const [event] = (
      await api.get<{ matched: number; filtered: number }[]>('/events?event=webhook.endpoint.failing')
    ).body;
    expect(event).toMatchObject({ matched: 1, filtered: 1 });
  }, 120_000);

  // Red when an operational event's own delivery makes another: two monitors that fail would tell each other for ever.
  it('tells nothing of what becomes of its own events, nor to an endpoint about itself', async () => {
    const api = await running().clientOf('ops_loop');
    receiver.behave(({ url }) => (url.startsWith('/deaf') ? 500 : 200));
    const wish = { event: 'webhook.*', circuit: { failures: 3 }, retry_schedule: [] };
    const deaf = await subscribe(api, 'deaf', wish);
    // It listens to other events as well, whose end would be told.
    await subscribe(api, 'deaf-too', {
      ...{ events: ['webhook.*', 'loop.other'], retry_schedule: [] },
      circuit: { failures: 100, min_attempts: 1_000 },
    });
    await subscribe(api, 'hearing', { events: ['webhook.endpoint.disabled', 'webhook.*', 'loop.own'] });
    for (let n = 0; n < 4; n += 1) {
      const id = await subscribe(api, 'over', { event: `loop.made_${n}` });
      expect((await api.delete(`/subscriptions/${id}`)).status).toBe(204);
    }
    await soon(async () =>
      expect((await api.get(`/subscriptions/${deaf}`)).body).toMatchObject({ circuit: { state: 'open' } }),
    );
    await soon(() => expect(namesAt('hearing')).toHaveLength(4));
    // The last word: whatever would have been told before it has been.
    const last = await subscribe(api, 'over', { event: 'loop.last' });
    expect((await api.patch(`/subscriptions/${last}`, { active: false })).status).toBe(200);
    await soon(() => expect(toldAt('hearing').at(-1)).toMatchObject({ resource_id: last }));
    // What was made of them has ended by now, and nothing is told of it.
    await soon(async () =>
      expect((await api.get<unknown[]>('/deliveries?status=FAILED')).body.length).toBeGreaterThanOrEqual(8),
    );
    const end = await subscribe(api, 'over', { event: 'loop.end' });
    expect((await api.delete(`/subscriptions/${end}`)).status).toBe(204);
    await soon(() => expect(toldAt('hearing').at(-1)).toMatchObject({ resource_id: end }));
    expect(toldAt('hearing').map(({ event, data }) => [event, data['disabled_reason']])).toEqual(
      Array.from({ length: 6 }, () => ['webhook.endpoint.disabled', 'manual']),
    );
    expect(toldAt('deaf').every(({ resource_id: about }) => about !== deaf)).toBe(true);
  }, 120_000);
}
