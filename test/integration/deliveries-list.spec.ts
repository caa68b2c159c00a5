import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';

import { firstUuidAt } from '../../src/platform/kernel/uuid.js';
import type { ApiAnswer, ApiClient } from '../support/api-client.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';

interface Listed {
  readonly id: string;
  readonly event: string;
  readonly status: string;
  readonly subscription_id: string;
  readonly created_at: string;
}

const ROUTE = '/api/v1/tenant/webhooks/deliveries';

describeWithPostgres('the list of deliveries', () => {
  let app: RestApp;
  let api: ApiClient;
  let database: pg.Client;
  let tenant = '';
  let tests = 0;

  beforeAll(async () => {
    app = await startRestApp();
    database = new pg.Client({ connectionString: app.databaseUrl });
    await database.connect();
  }, 180_000);

  afterAll(async () => {
    await database?.end();
    await app?.close();
  });

  beforeEach(async () => {
    tenant = `list_${(tests += 1)}`;
    api = await app.clientOf(tenant);
  });

  async function subscribe(event: string, path = ''): Promise<string> {
    const url = `https://hooks.customer.com/gestiqcloud${path}`;
    const { status, body } = await api.post<{ id: string }>('/subscriptions', { event, url });
    expect(status).toBe(201);
    return body.id;
  }

  /** @returns the ids of its deliveries */
  async function deliver(event: string): Promise<string[]> {
    const { status, body } = await api.post<{ delivery_ids: string[] }>('/deliveries', {
      event,
      payload: {},
    });
    expect(status).toBe(202);
    return body.delivery_ids;
  }

  const list = (query = ''): Promise<ApiAnswer<Listed[]>> => api.request('GET', ROUTE + query);
  const idsOf = (answer: ApiAnswer<Listed[]>): string[] => answer.body.map(({ id }) => id);
  /** Ids are UUIDv7: by time, and in some order within one millisecond. */
  const newestFirst = (ids: readonly string[]): string[] => [...ids].sort().reverse();
  const nextOf = (answer: ApiAnswer<unknown>): string | undefined =>
    /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];

  /** Backdates deliveries, which only the database can; their ids, which begin with the time, as well. @returns the new ids */
  async function made(ids: readonly string[], at: string, status = 'PENDING'): Promise<string[]> {
    const start = firstUuidAt(new Date(at)).slice(0, 13);
    const { rows } = await database.query<{ id: string }>(
      `UPDATE webhook_deliveries SET id = overlay(id::text PLACING $4::text FROM 1)::uuid, created_at = $2, status = $3,
              next_attempt_at = CASE WHEN $3 = 'PENDING' THEN next_attempt_at END WHERE id = ANY ($1) RETURNING id`,
      [ids, at, status, start],
    );
    return rows.map(({ id }) => id);
  }

  it('is a bare array, newest first, of what was asked for', async () => {
    expect((await list()).body).toEqual([]);
    const subscription = await subscribe('list.*');
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(...(await deliver('list.made')));
    const { status, body, headers } = await list();
    expect(status).toBe(200);
    expect(body.map(({ id }) => id)).toEqual(newestFirst(ids));
    const times = body.map(({ created_at }) => Date.parse(created_at));
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(headers.get('link')).toBeNull();
    expect(body[0]).toEqual({
      id: newestFirst(ids)[0],
      event: 'list.made',
      status: 'PENDING',
      attempts: 0,
      target_url: 'https://hooks.customer.com/gestiqcloud',
      last_error: null,
      last_status_code: null,
      last_duration_ms: null,
      last_error_class: null,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
      subscription_id: subscription,
      event_id: expect.any(String),
      next_attempt_at: expect.stringMatching(/^\d{4}-.*Z$/),
      held_reason: null,
      held_until: null,
      blocked_by: null,
    });
  });

  it('filters by each field, and by several at once', async () => {
    const [one, two] = [await subscribe('list.*', '/1'), await subscribe('list.second', '/2')];
    const first = await made(await deliver('list.first'), '2026-03-01T12:00:00Z', 'FAILED');
    const second = await made(await deliver('list.second'), '2026-03-02T12:00:00Z', 'DELIVERED');
    const find = async (query: string): Promise<string[]> => idsOf(await list(query)).sort();
    expect(await find('')).toEqual([...first, ...second].sort());

    expect(await find('?event=list.first')).toEqual(first);
    expect(await find('?event=%20LIST.first%20')).toEqual(first);
    expect(await find('?event=list')).toEqual([]);
    expect(await find('?status=FAILED')).toEqual(first);
    expect(await find('?status=DELIVERED')).toEqual([...second].sort());
    expect(await find('?status=SENDING')).toEqual([]);
    const ofTwo = await find(`?subscription_id=${two}`);
    expect(ofTwo).toHaveLength(1);
    expect(second).toContain(ofTwo[0]);
    expect(await find(`?subscription_id=${two.toUpperCase()}`)).toEqual(ofTwo);
    expect(await find('?subscription_id=0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50')).toEqual([]);
    expect(await find(`?event=list.second&status=DELIVERED&subscription_id=${one}`)).toHaveLength(1);
    expect(await find(`?event=list.first&subscription_id=${two}`)).toEqual([]);
  });

  it('takes since as the first instant and until as the first one after', async () => {
    await subscribe('list.made');
    const days = ['2026-03-01', '2026-03-02', '2026-03-03'];
    const ids: string[] = [];
    for (const day of days) {
      const [id] = await made(await deliver('list.made'), `${day}T00:00:00Z`);
      ids.push(id!);
    }
    const find = async (query: string): Promise<number[]> =>
      idsOf(await list(query)).map((id) => ids.indexOf(id) + 1);
    expect(await find('?since=2026-03-02T00:00:00Z')).toEqual([3, 2]);
    expect(await find('?since=2026-03-02T00:00:00.001Z')).toEqual([3]);
    expect(await find('?until=2026-03-02T00:00:00Z')).toEqual([1]);
    expect(await find('?since=2026-03-02&until=2026-03-03')).toEqual([2]);
    expect(await find('?since=2026-03-02&until=2026-03-02')).toEqual([]);
    expect(await find('?since=2026-03-02T01:00:00%2B01:00&until=2026-03-02T00:30:00-01:00')).toEqual([2]);
    expect(await find('?since=0000-01-01&until=9999-12-31')).toEqual([3, 2, 1]);
  });

  it('pages through 250 with no gap and none twice, while new ones arrive', async () => {
    await subscribe('list.paged');
    await subscribe('list.other');
    const ids: string[] = [];
    for (let n = 0; n < 250; n += 1) ids.push(...(await deliver('list.paged')));
    await deliver('list.other');

    const seen: string[] = [];
    const sizes: number[] = [];
    let next: string | undefined = `${ROUTE}?status=PENDING&event=list.paged&limit=40`;
    while (next !== undefined) {
      const page: ApiAnswer<Listed[]> = await api.request('GET', next);
      expect(page.status).toBe(200);
      seen.push(...idsOf(page));
      sizes.push(page.body.length);
      next = nextOf(page);
      // The query comes back with the cursor, and nothing else of it changes.
      if (next !== undefined) {
        const query = new URLSearchParams(next.split('?')[1]);
        expect(next.split('?')[0]).toBe(ROUTE);
        expect([...query.keys()].sort()).toEqual(['cursor', 'event', 'limit', 'status']);
        expect(query.get('event')).toBe('list.paged');
      }
      await deliver('list.paged');
    }
    expect(sizes).toEqual([40, 40, 40, 40, 40, 40, 10]);
    expect(seen).toEqual(newestFirst(ids));
  }, 180_000);

  it('links no further page after the last full one, and a hundred by default', async () => {
    await subscribe('list.full');
    for (let n = 0; n < 4; n += 1) await deliver('list.full');
    const first = await list('?limit=2');
    const last: ApiAnswer<Listed[]> = await api.request('GET', nextOf(first)!);
    expect(last.body).toHaveLength(2);
    expect(nextOf(last)).toBeUndefined();
    expect(nextOf(await list('?limit=4'))).toBeUndefined();

    await database.query(
      `INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url)
       SELECT tenant_id, webhook_uuid_v7(), event_id, gen_random_uuid(), event, target_url
         FROM webhook_deliveries, generate_series(1, 30) WHERE tenant_id = $1`,
      [tenant],
    );
    const page = await list();
    expect(page.body).toHaveLength(100);
    expect(nextOf(page)).toMatch(new RegExp(`^${ROUTE}\\?cursor=[A-Za-z0-9_-]{22}$`));
  });

  it('keeps a query that needs escaping in the link', async () => {
    await subscribe('list.escaped');
    for (let n = 0; n < 2; n += 1) await deliver('list.escaped');
    const first = await list('?since=2020-01-01T00:00:00%2B01:00&event=%20list.escaped%20&limit=1');
    const second: ApiAnswer<Listed[]> = await api.request('GET', nextOf(first)!);
    expect(second.status).toBe(200);
    expect(new Set([...idsOf(first), ...idsOf(second)]).size).toBe(2);
    const query = new URLSearchParams(nextOf(first)!.split('?')[1]);
    expect(query.get('since')).toBe('2020-01-01T00:00:00+01:00');
  });

  it('shows a tenant nothing of another, whatever cursor it brings', async () => {
    await subscribe('list.private');
    for (let n = 0; n < 3; n += 1) await deliver('list.private');
    const cursorUrl = nextOf(await list('?limit=1'))!;
    const stranger = await app.clientOf('stranger');
    expect((await stranger.request('GET', cursorUrl)).body).toEqual([]);
    expect((await stranger.request('GET', ROUTE)).body).toEqual([]);
  });
});
