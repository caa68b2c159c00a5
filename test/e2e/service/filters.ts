import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

interface Event {
  readonly id: string;
  readonly delivery_count: number;
  readonly matched: number;
  readonly filtered: number;
  readonly filtered_by?: readonly string[];
}

const SINCE = '2020-01-01';

/** Who gets which events, by what is in them. */
export function filters(running: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await running().clientOf('filters');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  /** @param body JSON text, because parsing would lose digits */
  const subscribe = async (path: string, body: string): Promise<string> => {
    const url = JSON.stringify(`${receiver.url}/${path}`);
    const made = await api.post<{ id: string }>('/subscriptions', `{"url":${url},${body}}`);
    expect(made.status).toBe(201);
    return made.body.id;
  };
  const emit = async (event: string, payload: string): Promise<{ event_id: string; count: number }> => {
    const body = `{"event":"${event}","payload":${payload}}`;
    const answer = await api.post<{ event_id: string; count: number }>('/deliveries', body);
    expect(answer.status).toBe(202);
    return answer.body;
  };
  const bodiesAt = (path: string): string[] =>
    receiver.requests.filter(({ url }) => url === `/${path}`).map(({ rawBody }) => rawBody.toString());
  const event = async (id: string): Promise<Event> => (await api.get<Event>(`/events/${id}`)).body;

  // Red when the filter or the payload is parsed on the way: both numbers are the same then.
  it('sends what matches, with every digit, in the form of its template, and shows what it kept back', async () => {
    const filter = '{"data.n":{"$gte":12345678901234567890},"10":{"$exists":false},"a\\\\.b":"\\ud83d"}';
    const id = await subscribe(
      'exact',
      `"events":["exact.*","exact.made"],"template":"standard","filter":${filter}`,
    );
    await subscribe('all', '"event":"exact.made"');
    const read = await api.get(`/subscriptions/${id}`);
    expect(read.text).toContain(`"filter":${filter}`);
    expect((await api.get('/subscriptions?event=exact.made')).text).toContain('"filter":null');

    const kept = '{"data":{"n":12345678901234567889},"a.b":"\\ud83d"}';
    const sent = '{"data":{"n":12345678901234567890},"a.b":"\\ud83d"}';
    const first = await emit('exact.made', kept);
    expect(first.count).toBe(1);
    const second = await emit('exact.made', sent);
    expect(second.count).toBe(2);
    await receiver.waitForCount(3);
    expect(bodiesAt('all').sort()).toEqual([kept, sent].sort());
    expect(bodiesAt('exact')).toEqual([expect.stringContaining(`"data":${sent}`)]);
    expect(await event(first.event_id)).toMatchObject({
      ...{ delivery_count: 1, matched: 1, filtered: 1, filtered_by: [id] },
    });
    expect(await event(second.event_id)).toMatchObject({ matched: 2, filtered: 0, filtered_by: [] });
  }, 60_000);

  it('stores what every filter kept back, and a change of the filter is for what comes', async () => {
    const id = await subscribe('later', '"event":"later.made","filter":{"total":{"$gte":100}}');
    const before = await emit('later.made', '{"total":"150.00"}');
    expect(before.count).toBe(0);
    expect((await api.get<Event[]>('/events?event=later.made')).body).toMatchObject([
      { id: before.event_id, delivery_count: 0, matched: 0, filtered: 1 },
    ]);
    expect((await api.patch(`/subscriptions/${id}`, { filter: null })).body).toMatchObject({ filter: null });
    expect((await emit('later.made', '{"total":1}')).count).toBe(1);
    const again = { filter: { 'lines.sku': { $in: ['A', 'B'] } } };
    expect((await api.patch(`/subscriptions/${id}`, again)).body).toMatchObject(again);
    expect((await api.patch(`/subscriptions/${id}`, { description: 'x' })).body).toMatchObject(again);
    expect((await emit('later.made', '{"lines":[{"sku":"B"},{"sku":"C"}]}')).count).toBe(1);
    expect((await emit('later.made', '{"lines":[{"sku":"C"}]}')).count).toBe(0);
    await eventually(() => expect(bodiesAt('later')).toHaveLength(2), { timeoutMs: 30_000 });
  }, 60_000);

  it('asks the filter of what modules emit, of replays and of what is missing, never of a named subscription', async () => {
    let invoices = 0;
    const invoice = async (customer: string): Promise<void> => {
      const body = { number: `F-${(invoices += 1)}`, customer, total_cents: 100, currency: 'EUR' };
      expect((await api.request('POST', '/api/v1/tenant/invoices', { body })).status).toBe(201);
    };
    await invoice('Sol');
    await invoice('Luna');
    const id = await subscribe('module', '"event":"invoice.created","filter":{"data.customer":"Luna"}');
    await invoice('Sol');
    await invoice('Luna');
    await eventually(() => expect(bodiesAt('module')).toHaveLength(1), { timeoutMs: 30_000 });

    const missing = { since: SINCE };
    const path = `/subscriptions/${id}/replay-missing`;
    expect((await api.post(path, { ...missing, dry_run: true })).body).toEqual({
      dry_run: true,
      count: 1,
      skipped: 0,
    });
    const task = await api.post<{ id: string }>(path, missing);
    expect(task).toMatchObject({ status: 202, body: { total: 1 } });
    await eventually(
      async () =>
        expect((await api.get(`/tasks/${task.body.id}`)).body).toMatchObject({
          status: 'DONE',
          total: 1,
          done: 1,
        }),
      { timeoutMs: 30_000, intervalMs: 50 },
    );
    await eventually(() => expect(bodiesAt('module')).toHaveLength(2), { timeoutMs: 30_000 });

    const events = (await api.get<Event[]>('/events?event=invoice.created')).body;
    expect(events.map(({ matched, filtered, delivery_count: count }) => [matched, filtered, count])).toEqual([
      ...[
        [1, 0, 1],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 0],
      ],
    ]);
    const replay = `/events/${events[1]!.id}/replay`;
    expect(await api.post(replay)).toMatchObject({ status: 202, body: { count: 0 } });
    expect(await api.post(replay, { subscription_id: id })).toMatchObject({ body: { count: 1 } });
    await eventually(() => expect(bodiesAt('module')).toHaveLength(3), { timeoutMs: 30_000 });
  }, 120_000);

  it('says beforehand what a filter makes of an event, and everything that is wrong with it', async () => {
    const preview = async (filter: string, payload: string): Promise<unknown> =>
      (await api.post('/subscriptions/preview', `{"filter":${filter},"payload":${payload}}`)).body;
    expect(await preview('{"n":12345678901234567890}', '{"n":12345678901234567891}')).toMatchObject({
      ...{ matches: false, warnings: [] },
    });
    expect(await preview('{"total":{"$gte":100}}', '{"total":"150.00"}')).toMatchObject({
      ...{ matches: false, warnings: ['total is a string, $gte compares with a number'] },
    });
    expect(await preview('{"total":{"$gte":100}}', '{"total":150}')).toMatchObject({
      matches: true,
      warnings: [],
    });
    expect(await preview('null', '{}')).toMatchObject({ matches: true });
    expect(await preview('{"a":1e999}', '{"a":1e999}')).toMatchObject({ matches: true });

    const wrong = { filter: { total: { $regex: 'x' }, $or: [], a: { $in: [] } }, url: 'ftp://x', event: 'x' };
    const answer = await api.post<{ detail: { loc: string[]; msg: string }[] }>('/subscriptions', wrong);
    expect(answer.status).toBe(400);
    expect(answer.body.detail.map(({ loc, msg }) => `${loc.join('/')}: ${msg}`)).toEqual([
      'body/url: URL must use HTTPS protocol',
      'body/filter/total/$regex: Unknown operator "$regex" at total',
      'body/filter/$or: $or must have at least one filter: none would match nothing',
      'body/filter/a/$in: a.$in must have at least one value: none would match nothing',
    ]);
    const twice = `{"event":"x","url":"${receiver.url}","filter":{"a":1,"a":2}}`;
    expect(await api.post('/subscriptions', twice)).toMatchObject({
      ...{
        status: 400,
        body: { detail: [{ loc: ['body', 'filter', 'a'], msg: '"a" stands twice at filter' }] },
      },
    });
  });
}
