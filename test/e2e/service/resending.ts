import { afterAll, beforeEach, expect, it } from '@jest/globals';

import { WebhookSignature } from '../../../src/modules/webhooks/index.js';
import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver, type ReceivedRequest } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

interface Emitted {
  readonly event_id: string;
  readonly delivery_ids: readonly string[];
}

interface Delivery {
  readonly id: string;
  readonly event_id: string;
  readonly status: string;
  readonly created_at: string;
}

const SINCE = '2020-01-01';
const OLD = 'the-secret-before-the-move';
const NEW = 'the-secret-after-the-move';

/** What is sent again: which deliveries, where to, and how. */
export function resending(service: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;
  let tests = 0;

  afterAll(async () => {
    await receiver?.close();
  });

  beforeEach(async () => {
    await receiver?.close();
    receiver = await Receiver.start();
    api = await service().clientOf(`resending_${(tests += 1)}`);
  });

  const subscribe = async (path: string, events: readonly string[], wish: object = {}): Promise<string> => {
    const url = `${receiver.url}/${path}`;
    const made = await api.post<{ id: string }>('/subscriptions', { events, url, ...wish });
    expect(made.status).toBe(201);
    return made.body.id;
  };
  const emit = async (event: string, n: number): Promise<Emitted> => {
    const made = await api.post<Emitted>('/deliveries', { event, payload: { n } });
    expect(made.status).toBe(202);
    return made.body;
  };
  const shows = async (id: string, expected: object): Promise<void> => {
    await eventually(async () => expect((await api.get(`/deliveries/${id}`)).body).toMatchObject(expected), {
      ...{ timeoutMs: 60_000, intervalMs: 50 },
    });
  };
  const requestsAt = (path: string): ReceivedRequest[] =>
    receiver.requests.filter(({ url }) => url === `/${path}`);
  const numbersAt = (path: string): number[] =>
    requestsAt(path).map(({ rawBody }) => (JSON.parse(rawBody.toString()) as { n: number }).n);

  // Red when a claim has the URL of the fan-out, or a secret that was looked up before.
  it('goes to where the subscription points now, signed as it signs now, with the id of before, as manual', async () => {
    receiver.behave(({ url }) => (url === '/before' ? 404 : 200));
    const subscription = await subscribe('before', ['moved.made'], { secret: OLD });
    const emitted = [await emit('moved.made', 1), await emit('moved.made', 2), await emit('moved.made', 3)];
    const ids = emitted.map(({ delivery_ids: [id = ''] }) => id);
    for (const id of ids) await shows(id, { status: 'FAILED', target_url: `${receiver.url}/before` });
    const url = `${receiver.url}/after`;
    const moved = await api.patch(`/subscriptions/${subscription}`, { url, secret: NEW });
    expect(moved).toMatchObject({ status: 200, body: { url } });

    // By hand, by its event, and with everything that failed.
    const [byHand = '', byEvent = ''] = ids;
    expect((await api.post(`/deliveries/${byHand}/retry`)).status).toBe(202);
    await shows(byHand, { status: 'DELIVERED' });
    expect(await api.post(`/events/${emitted[1]!.event_id}/replay`)).toMatchObject({
      ...{ status: 202, body: { count: 1, delivery_ids: [byEvent] } },
    });
    await shows(byEvent, { status: 'DELIVERED' });
    const recover = await api.post(`/subscriptions/${subscription}/recover`, { since: SINCE });
    expect(recover).toMatchObject({ status: 202, body: { total: 1 } });
    for (const id of ids) {
      await shows(id, {
        ...{ status: 'DELIVERED', attempts: 2, target_url: url },
        attempt_log: [
          { trigger: 'auto', status_code: 404 },
          { trigger: 'manual', status_code: 200 },
        ],
      });
    }
    const [before, after] = [requestsAt('before'), requestsAt('after')];
    for (const requests of [before, after]) {
      expect(requests.map(({ headers }) => headers['webhook-id'])).toEqual(ids);
    }
    const accepts = (secret: string, { headers, rawBody: body }: ReceivedRequest): boolean[] => [
      WebhookSignature.verifyStandard({ secret, headers, body }).ok,
      WebhookSignature.verifyRaw(secret, body, String(headers['x-signature'])),
    ];
    const [yes, no] = [
      [true, true],
      [false, false],
    ];
    expect(before.flatMap((one) => [accepts(OLD, one), accepts(NEW, one)])).toEqual(
      ids.flatMap(() => [yes, no]),
    );
    expect(after.flatMap((one) => [accepts(OLD, one), accepts(NEW, one)])).toEqual(
      ids.flatMap(() => [no, yes]),
    );
  }, 120_000);

  // Red when a field of the filter is not asked, or a dry run leaves anything behind.
  it('is what every field of a filter says, and in a dry run only counted', async () => {
    receiver.behave(404);
    const one = await subscribe('one', ['kept.a', 'kept.b']);
    const other = await subscribe('other', ['kept.b']);
    const all = async (): Promise<Delivery[]> => (await api.get<Delivery[]>('/deliveries')).body;
    const of = async ({ event_id: id }: Emitted): Promise<Delivery[]> =>
      (await all()).filter((each) => each.event_id === id);
    const ended = async (emitted: Emitted, statuses: readonly string[]): Promise<Delivery[]> =>
      eventually(async () => {
        const deliveries = await of(emitted);
        expect(deliveries.map(({ status }) => status).sort()).toEqual(statuses);
        return deliveries;
      });
    await ended(await emit('kept.a', 1), ['FAILED']);
    const [second] = await ended(await emit('kept.b', 2), ['FAILED', 'FAILED']);
    receiver.behave(({ url }) => (url === '/one' ? 404 : 200));
    const third = await emit('kept.b', 3);
    await ended(third, ['DELIVERED', 'FAILED']);
    expect((await api.post(`/subscriptions/${one}/pause`)).status).toBe(200);
    await shows((await emit('kept.a', 4)).delivery_ids[0]!, { status: 'PENDING', held_reason: 'paused' });
    const since = second!.created_at;
    const until = (await of(third)).at(0)!.created_at;

    const before = await all();
    const requests = receiver.requests.length;
    const bulk = '/deliveries/retry';
    const recover = `/subscriptions/${one}/recover`;
    const counts = [
      [bulk, { all: true }, 4],
      [bulk, { event: ' Kept.A ' }, 1],
      [bulk, { subscription_id: other }, 1],
      [bulk, { status: 'DELIVERED' }, 1],
      [bulk, { status: 'PENDING' }, 1],
      [bulk, { since }, 3],
      [bulk, { until }, 3],
      [bulk, { since, until }, 2],
      [bulk, { event: 'kept.b', subscription_id: one }, 2],
      [bulk, { event: 'kept.a', subscription_id: other }, 0],
      [recover, { since }, 2],
      [recover, { since: until }, 1],
    ] as const;
    const answers: unknown[] = [];
    for (const [path, filter] of counts)
      answers.push([path, filter, (await api.post(path, { ...filter, dry_run: true })).body]);
    expect(answers).toEqual(
      counts.map(([path, filter, count]) => [path, filter, { dry_run: true, count, skipped: 0 }]),
    );
    expect(await all()).toEqual(before);
    expect((await api.get('/tasks')).body).toEqual([]);
    expect((await api.get('/audit?action=task.started')).body).toEqual([]);
    expect(receiver.requests).toHaveLength(requests);

    const filter = { event: 'kept.b', subscription_id: other, status: 'FAILED', since, until };
    expect(await api.post(bulk, filter)).toMatchObject({ status: 202, body: { total: 1 } });
    await eventually(() => expect(numbersAt('other')).toEqual([2, 3, 2]), { timeoutMs: 60_000 });
    // The later of what failed, and what waited: not what failed before.
    receiver.behave(200);
    expect((await api.post(`/subscriptions/${one}/resume`)).status).toBe(200);
    expect(await api.post(recover, { since: until })).toMatchObject({ status: 202, body: { total: 1 } });
    await eventually(() => expect(numbersAt('one').slice(3).sort()).toEqual([3, 4]), { timeoutMs: 60_000 });
    const left = (await api.get<{ id: string }[]>('/deliveries?status=FAILED')).body;
    expect(left.map(({ id }) => id)).toHaveLength(2);
  }, 120_000);

  // Red when an event of another name is sent, one of before, or one that the endpoint has got.
  it('is, of what an endpoint never got, what it matches, since a time, and nothing else', async () => {
    await subscribe('early', ['late.made', 'late.other']);
    await emit('late.made', 1);
    const second = await emit('late.made', 2);
    await emit('late.other', 3);
    const late = await subscribe('late', ['late.made', 'never.made']);
    await emit('late.made', 4);
    await receiver.waitForCount(5);
    const path = `/subscriptions/${late}/replay-missing`;
    const { created_at: since } = (await api.get<{ created_at: string }>(`/events/${second.event_id}`)).body;
    const counts: unknown[] = [];
    for (const from of [SINCE, since])
      counts.push((await api.post(path, { since: from, dry_run: true })).body);
    expect(counts).toMatchObject([{ count: 2 }, { count: 1 }]);
    expect(await api.post(path, { since })).toMatchObject({ status: 202, body: { total: 1 } });
    await eventually(() => expect(numbersAt('late')).toEqual([4, 2]), { timeoutMs: 60_000 });
    expect((await api.post(path, { since, dry_run: true })).body).toMatchObject({ count: 0 });
    const got = await api.get<Delivery[]>(`/deliveries?subscription_id=${late}`);
    expect(got.body.map(({ event_id: id }) => id)).toContain(second.event_id);
    expect(got.body).toHaveLength(2);
    expect(numbersAt('early').sort()).toEqual([1, 2, 3, 4]);
  }, 60_000);
}
