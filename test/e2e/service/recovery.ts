import { afterAll, beforeEach, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

interface Task {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly total: number;
  readonly done: number;
  readonly created_by: string;
  readonly finished_at: string | null;
}

interface Event {
  readonly id: string;
  readonly event: string;
  readonly delivery_count: number;
}

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly attempt_log: readonly { readonly trigger: string }[];
}

const SINCE = '2020-01-01';
const NOBODY = '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11';

/** Getting what was missed: recover, replay, tasks. */
export function recovery(service: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;
  let tests = 0;

  afterAll(async () => {
    await receiver?.close();
  });

  beforeEach(async () => {
    await receiver?.close();
    receiver = await Receiver.start();
    api = await service().clientOf(`recovery_${(tests += 1)}`);
  });

  const subscribe = async (event: string, as = api, before: string[] = []): Promise<string> => {
    const made = await as.post<{ id: string }>('/subscriptions', {
      events: [...before, event],
      url: `${receiver.url}/${event.length}`,
      // Many failures in a row are what some of these tests are about.
      circuit: { failures: 100, min_attempts: 1_000 },
    });
    expect(made.status).toBe(201);
    return made.body.id;
  };

  const deliver = async (event: string, n: number, as = api): Promise<string> => {
    const made = await as.post<{ delivery_ids: string[] }>('/deliveries', { event, payload: { n } });
    expect(made.status).toBe(202);
    return made.body.delivery_ids[0]!;
  };

  const withStatus = async (status: string, count: number, as = api): Promise<void> => {
    await eventually(
      async () => {
        expect((await as.get<unknown[]>(`/deliveries?status=${status}`)).body).toHaveLength(count);
      },
      { timeoutMs: 60_000, intervalMs: 50 },
    );
  };

  const finished = async ({ id }: Task): Promise<Task> =>
    eventually(
      async () => {
        const { body } = await api.get<Task>(`/tasks/${id}`);
        expect(body.finished_at).not.toBeNull();
        return body;
      },
      { timeoutMs: 60_000, intervalMs: 50 },
    );

  const emitInvoice = async (number: string): Promise<void> => {
    const body = { number, customer: 'Panadería Sol', total_cents: 100, currency: 'EUR' };
    expect((await api.request('POST', '/api/v1/tenant/invoices', { body })).status).toBe(201);
  };

  it('lists events that nobody was subscribed to, and sends an endpoint what it never got', async () => {
    await emitInvoice('F-1');
    await emitInvoice('F-2');
    const unmatched = await api.get<Event[]>('/events?matched=false');
    expect(unmatched.body.map(({ event, delivery_count }) => ({ event, delivery_count }))).toEqual([
      { event: 'invoice.created', delivery_count: 0 },
      { event: 'invoice.created', delivery_count: 0 },
    ]);
    const id = await subscribe('invoice.*', api, ['not.this']);
    await emitInvoice('F-3');
    await receiver.waitForCount(1);

    const dry = await api.post(`/subscriptions/${id}/replay-missing`, { since: SINCE, dry_run: true });
    expect(dry).toMatchObject({ status: 200, body: { dry_run: true, count: 2, skipped: 0 } });
    expect((await api.get<unknown[]>('/tasks')).body).toEqual([]);

    const started = await api.post<Task>(`/subscriptions/${id}/replay-missing`, { since: SINCE });
    expect(started).toMatchObject({
      status: 202,
      body: { kind: 'replay_missing', status: 'RUNNING', total: 2, done: 0, created_by: 'test-user' },
    });
    expect(await finished(started.body)).toMatchObject({ status: 'DONE', total: 2, done: 2 });
    await receiver.waitForCount(3);
    const numbers = receiver.requests.map(
      ({ rawBody }) => (JSON.parse(rawBody.toString('utf8')) as { data: { number: string } }).data.number,
    );
    expect(numbers.sort()).toEqual(['F-1', 'F-2', 'F-3']);
    // It has everything now: the same again finds nothing.
    const again = await api.post(`/subscriptions/${id}/replay-missing`, { since: SINCE, dry_run: true });
    expect(again.body).toEqual({ dry_run: true, count: 0, skipped: 0 });
    expect((await api.get<unknown[]>('/events?matched=false')).body).toEqual([]);
  }, 180_000);

  it('replays one event: the same delivery to who had it, a new one to who had not', async () => {
    await subscribe('replay.made', api, ['not.this']);
    const first = await deliver('replay.made', 1);
    await withStatus('DELIVERED', 1);
    const other = await subscribe('replay.other');
    const [event] = (await api.get<Event[]>('/events')).body;

    const toAll = await api.post<{ delivery_ids: string[] }>(`/events/${event!.id}/replay`);
    expect(toAll).toMatchObject({
      status: 202,
      body: { count: 1, event_id: event!.id, delivery_ids: [first] },
    });
    await receiver.waitForCount(2);
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([first, first]);

    const toOne = await api.post<{ delivery_ids: string[] }>(`/events/${event!.id}/replay`, {
      subscription_id: other,
    });
    expect(toOne.body.delivery_ids).toHaveLength(1);
    expect(toOne.body.delivery_ids[0]).not.toBe(first);
    await receiver.waitForCount(3);
    await withStatus('DELIVERED', 2);
    const resent = await api.get<Delivery>(`/deliveries/${first}`);
    expect(resent.body.attempt_log.map(({ trigger }) => trigger)).toEqual(['auto', 'manual']);

    const detail = await api.get<Event & { deliveries: Delivery[] }>(`/events/${event!.id}`);
    expect(detail.body).toMatchObject({ delivery_count: 2, payload: { n: 1 } });
    expect(detail.body.deliveries.map(({ id }) => id)).toEqual([first, toOne.body.delivery_ids[0]]);
  }, 180_000);

  // Red without the unique index on event and subscription: each of the replays inserts a delivery of its own.
  it('makes one delivery out of many replays at a time', async () => {
    await subscribe('parallel.made');
    await deliver('parallel.made', 1);
    const late = await subscribe('parallel.late');
    const [event] = (await api.get<Event[]>('/events')).body;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.post(`/events/${event!.id}/replay`, { subscription_id: late })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 202));
    expect((await api.get<Event>(`/events/${event!.id}`)).body.delivery_count).toBe(2);
  });

  it('sends everything again that matches a filter, and nothing else', async () => {
    const stranger = await service().clientOf('recovery_stranger');
    receiver.behave(404);
    const id = await subscribe('bulk.one');
    await subscribe('bulk.other');
    await subscribe('bulk.one', stranger);
    const ids: string[] = [];
    for (let n = 0; n < 12; n += 1) ids.push(await deliver('bulk.one', n));
    await deliver('bulk.other', 0);
    await deliver('bulk.one', 0, stranger);
    await withStatus('FAILED', 13);
    await withStatus('FAILED', 1, stranger);
    // In vain first: each is tried once more and no oftener, and the task ends all the same.
    receiver.behave(500);
    const inVain = await api.post<Task>('/deliveries/retry', { event: 'bulk.other' });
    expect(await finished(inVain.body)).toMatchObject({ status: 'DONE', done: 1 });
    await withStatus('FAILED', 13);
    const [tried] = (await api.get<Delivery[]>('/deliveries?event=bulk.other')).body;
    expect(tried).toMatchObject({ attempts: 2, last_error: 'HTTP 500' });
    receiver.behave(200);

    const filter = { event: 'bulk.one', since: SINCE };
    expect((await api.post('/deliveries/retry', { ...filter, dry_run: true })).body).toEqual({
      ...{ dry_run: true, count: 12, skipped: 0 },
    });
    // Asked twice with one key it is one task; another filter with it is refused.
    const asked = { headers: { 'idempotency-key': 'bulk' } };
    const [started, same] = await Promise.all([
      api.post<Task>('/deliveries/retry', filter, asked),
      api.post<Task>('/deliveries/retry', filter, asked),
    ]);
    expect([started.status, same.status, same.body.id]).toEqual([202, 202, started.body.id]);
    expect(await api.post('/deliveries/retry', { all: true }, asked)).toMatchObject({
      ...{ status: 409, body: { detail: 'idempotency_conflict' } },
    });
    // And the one that was in vain.
    expect((await api.get<unknown[]>('/tasks')).body).toHaveLength(2);
    expect(await finished(started.body)).toMatchObject({ status: 'DONE', total: 12, done: 12 });
    await withStatus('DELIVERED', 12);
    expect((await api.get<unknown[]>('/deliveries?status=FAILED')).body).toHaveLength(1);
    expect((await stranger.get<unknown[]>('/deliveries?status=FAILED')).body).toHaveLength(1);
    const one = await api.get<Delivery>(`/deliveries/${ids[0]!}`);
    expect(one.body).toMatchObject({
      attempts: 2,
      attempt_log: [{ trigger: 'auto' }, { trigger: 'manual' }],
    });
    // The same by subscription, where nothing is left; and nobody else's task is to be seen.
    expect((await api.post(`/subscriptions/${id}/recover`, { since: SINCE, dry_run: true })).body).toEqual({
      ...{ dry_run: true, count: 0, skipped: 0 },
    });
    expect((await stranger.get(`/tasks/${started.body.id}`)).body).toEqual({ detail: 'task_not_found' });
    expect((await stranger.post(`/tasks/${started.body.id}/cancel`)).status).toBe(404);
  }, 180_000);

  it('stops a task that is cancelled', async () => {
    receiver.behave(404);
    const id = await subscribe('cancel.made');
    await deliver('cancel.made', 1);
    await withStatus('FAILED', 1);
    const started = await api.post<Task>(`/subscriptions/${id}/recover`, { since: SINCE });
    const cancelled = await api.post<Task>(`/tasks/${started.body.id}/cancel`);
    // Cancelled in time or done before: either way it has ended and stays so.
    expect(['CANCELLED', 'DONE']).toContain(cancelled.body.status);
    expect((await api.post<Task>(`/tasks/${started.body.id}/cancel`)).body).toEqual(cancelled.body);
  }, 180_000);

  it('refuses what cannot be sent to', async () => {
    const id = await subscribe('refused.made');
    await deliver('refused.made', 1);
    const [event] = (await api.get<Event[]>('/events')).body;
    await api.delete(`/subscriptions/${id}`);
    const recover = { since: SINCE };
    for (const [path, body, status, detail] of [
      [`/events/${event!.id}/replay`, { subscription_id: id }, 409, 'subscription_inactive'],
      [`/events/${event!.id}/replay`, { subscription_id: NOBODY }, 404, 'subscription_not_found'],
      [`/events/${event!.id}/replay`, {}, 404, 'no_active_subscriptions_for_event'],
      [`/events/${NOBODY}/replay`, {}, 404, 'event_not_found'],
      [`/events/x/replay`, {}, 404, 'event_not_found'],
      [`/subscriptions/${id}/recover`, recover, 409, 'subscription_inactive'],
      [`/subscriptions/${NOBODY}/recover`, recover, 404, 'subscription_not_found'],
      [`/subscriptions/x/replay-missing`, recover, 404, 'subscription_not_found'],
      ['/deliveries/retry', { subscription_id: NOBODY }, 404, 'subscription_not_found'],
      [`/tasks/${NOBODY}/cancel`, undefined, 404, 'task_not_found'],
    ] as const) {
      expect({ path, answer: await api.post(path, body) }).toMatchObject({
        path,
        answer: { status, body: { detail } },
      });
    }
  });
}
