import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';

import type { ApiAnswer, ApiClient } from '../support/api-client.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';
import type { BadRequest, Problem } from './bad-requests/bad-request.js';
import { BAD_DELIVERY_REQUESTS } from './bad-requests/of-deliveries.js';
import { BAD_INVOICE_REQUESTS } from './bad-requests/of-invoices.js';
import { BAD_PANEL_REQUESTS } from './bad-requests/of-panel.js';
import { BAD_RECOVERY_REQUESTS } from './bad-requests/of-recovery.js';
import { BAD_SUBSCRIPTION_REQUESTS } from './bad-requests/of-subscriptions.js';

const BAD_REQUESTS = [
  ...BAD_SUBSCRIPTION_REQUESTS,
  ...BAD_DELIVERY_REQUESTS,
  ...BAD_RECOVERY_REQUESTS,
  ...BAD_INVOICE_REQUESTS,
  ...BAD_PANEL_REQUESTS,
];

const SINCE = { since: '2026-11-01' };

interface Bad {
  readonly detail: readonly Problem[];
}

describeWithPostgres('bad input', () => {
  let app: RestApp;
  let client: ApiClient;
  let database: pg.Client;
  let ids: Readonly<Record<string, string>> = {};
  let checksumsSql: string | undefined;

  beforeAll(async () => {
    app = await startRestApp();
    database = new pg.Client({ connectionString: app.databaseUrl });
    await database.connect();
    ids = await oneOfEach(await app.clientOf('acme'));
    client = await app.clientOf('acme');
  }, 180_000);

  afterAll(async () => {
    await database?.end();
    await app?.close();
  });

  async function oneOfEach(api: ApiClient): Promise<Record<string, string>> {
    const subscription = await api.post<{ id: string }>('/subscriptions', {
      event: 'bad.made',
      url: 'https://hooks.customer.com/gestiqcloud',
    });
    const delivery = await api.post<{ delivery_ids: string[]; event_id: string }>('/deliveries', {
      event: 'bad.made',
      payload: { n: 1 },
    });
    const invoice = await api.request<{ id: string }>('POST', '/api/v1/tenant/invoices', {
      body: { number: 'F-1', customer: 'Sol', total_cents: 1, currency: 'EUR' },
    });
    return {
      subscription: subscription.body.id,
      delivery: delivery.body.delivery_ids[0]!,
      event: delivery.body.event_id,
      invoice: invoice.body.id,
    };
  }

  /** Rows and contents of every table there is, in one round trip: this is asked twice for each case. */
  async function checksums(): Promise<Record<string, string>> {
    checksumsSql ??= await everyTable();
    const { rows } = await database.query<{ name: string; sum: string }>({
      name: 'checksums',
      text: checksumsSql,
    });
    return Object.fromEntries(rows.map(({ name, sum }) => [name, sum]));
  }

  async function everyTable(): Promise<string> {
    const tables = await database.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    );
    return tables.rows
      .map(
        ({ name }) =>
          `SELECT '${name}' AS name, count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS sum
             FROM ${name} t`,
      )
      .join(' UNION ALL ');
  }

  const send = ({ method, path, body, headers }: BadRequest, as = client): Promise<ApiAnswer<Bad>> =>
    as.request<Bad>(
      method,
      path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name]!),
      { ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) },
    );

  const sorted = (problems: readonly Problem[]): Problem[] =>
    [...problems].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));

  const titled = BAD_REQUESTS.map((request) => ({
    ...request,
    name: `${request.method} ${request.path.split('?')[0]!.slice(0, 80)}: ${request.title}`,
  }));

  it.each(titled)('$name', async (request) => {
    const before = await checksums();
    const answer = await send(request);
    const { status = 400, problems } = request;
    expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.any(String) });
    if (typeof problems !== 'string') expect(sorted(answer.body.detail)).toEqual(sorted(problems));
    else if (problems === 'json_invalid') {
      expect(answer.body).toEqual({
        detail: [
          { type: 'json_invalid', loc: ['body'], msg: expect.stringMatching(/^Body is not valid JSON: /) },
        ],
      });
    } else expect(answer.body).toEqual({ detail: problems });

    const operation = app.document.operationFor(request.method, request.path);
    if (operation) expect(app.document.deviations(operation, answer)).toEqual([]);
    expect(await checksums()).toEqual(before);
  });

  it('refuses bytes that are no UTF-8', async () => {
    const before = await checksums();
    const body = Buffer.from('{"event":"a\xff","payload":{}}', 'latin1');
    expect(await client.post('/deliveries', body)).toMatchObject({
      status: 400,
      body: { detail: [{ type: 'json_invalid', loc: ['body'], msg: 'Body is not valid UTF-8' }] },
    });
    expect(await checksums()).toEqual(before);
  });

  it('answers for what is another tenant’s as for what does not exist', async () => {
    const stranger = await app.clientOf('stranger');
    const before = await checksums();
    const routes: [string, string, string, object?][] = [
      ['GET', '/webhooks/subscriptions/{subscription}', 'subscription_not_found'],
      ['PATCH', '/webhooks/subscriptions/{subscription}', 'subscription_not_found', { active: false }],
      ['DELETE', '/webhooks/subscriptions/{subscription}', 'subscription_not_found'],
      ['GET', '/webhooks/deliveries/{delivery}', 'delivery_not_found'],
      ['POST', '/webhooks/deliveries/{delivery}/retry', 'delivery_not_found', { force: true }],
      ['GET', '/webhooks/events/{event}', 'event_not_found'],
      ['POST', '/webhooks/events/{event}/replay', 'event_not_found'],
      ['POST', '/webhooks/subscriptions/{subscription}/test', 'subscription_not_found'],
      ['POST', '/webhooks/subscriptions/{subscription}/recover', 'subscription_not_found', SINCE],
      ['POST', '/webhooks/subscriptions/{subscription}/replay-missing', 'subscription_not_found', SINCE],
      ['GET', '/invoices/{invoice}', 'invoice_not_found'],
      ...['send', 'authorize', 'pay', 'cancel'].map((change): [string, string, string] => [
        'POST',
        `/invoices/{invoice}/${change}`,
        'invoice_not_found',
      ]),
    ];
    for (const [method, path, problems, body] of routes) {
      const answer = await send(
        { title: '', method, path: `/api/v1/tenant${path}`, body, problems },
        stranger,
      );
      expect({ path, status: answer.status, body: answer.body }).toEqual({
        path,
        status: 404,
        body: { detail: problems },
      });
    }
    expect(await checksums()).toEqual(before);
  });

  it.each([
    ['trims and lower-cases an event', '{"event":"  Bad.MADE ","payload":{}}', '{}'],
    [
      'keeps a NUL, half a character and a huge number of a payload',
      '{"event":"bad.made","payload":{"a":"\\u0000","b":"\\ud800","c":1e999}}',
      '{"a":"\\u0000","b":"\\ud800","c":1e999}',
    ],
    [
      'keeps both of two equal keys',
      '{"event":"bad.made","payload":{"a":1,"a":2,"__proto__":{"b":3}}}',
      '{"a":1,"a":2,"__proto__":{"b":3}}',
    ],
    ['takes the last of two payloads', '{"payload":{"a":1},"event":"bad.made","payload":{"a":2}}', '{"a":2}'],
    [
      'takes a payload as deep as it may be',
      `{"event":"bad.made","payload":${'{"a":'.repeat(98)}{}${'}'.repeat(98)}}`,
      `${'{"a":'.repeat(98)}{}${'}'.repeat(98)}`,
    ],
  ])('%s', async (_, body, payload) => {
    const other = await app.clientOf('lenient');
    await other.post('/subscriptions', { event: ' BAD.* ', url: 'https://hooks.customer.com/lenient' });
    const made = await other.post<{ delivery_ids: string[] }>('/deliveries', body);
    expect(made.status).toBe(202);
    const read = await other.get<{ event: string }>(`/deliveries/${made.body.delivery_ids[0]!}`);
    expect(read.body.event).toBe('bad.made');
    expect(read.text).toContain(`"payload":${payload}}`);
  });
});
