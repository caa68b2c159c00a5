import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';

import { UuidV7Generator } from '../../../src/platform/kernel/uuid.js';
import type { ApiAnswer, ApiClient } from '../../support/api-client.js';
import { startRestApp, type RestApp } from '../../support/rest-app.js';
import { describeWithPostgres } from '../../support/servers.js';

const ROUTE = '/api/v1/tenant/invoices';
const DRAFT = { number: 'F-2026-0042', customer: 'Panadería Sol', total_cents: 12_100, currency: 'eur' };

interface Answer {
  readonly status: number;
  readonly body: any;
}

describeWithPostgres('invoicing over REST', () => {
  let app: RestApp;
  let client: ApiClient;
  let tests = 0;

  beforeAll(async () => {
    app = await startRestApp();
  }, 180_000);

  afterAll(async () => {
    await app?.close();
  });

  beforeEach(async () => {
    client = await app.clientOf(`rest_${(tests += 1)}`);
  });

  async function ask(method: 'GET' | 'POST', path: string, body?: object, as = client): Promise<Answer> {
    const { status, body: answer } = await as.request(method, path, { body });
    return { status, body: answer };
  }

  const post = (path: string, body?: object): Promise<Answer> => ask('POST', ROUTE + path, body);

  it('takes an invoice from draft to paid', async () => {
    const created = await post('', DRAFT);
    expect(created).toEqual({
      status: 201,
      body: {
        ...DRAFT,
        currency: 'EUR',
        id: expect.any(String),
        status: 'draft',
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    });
    const path = `/${created.body.id}`;
    for (const [route, status] of [
      ['send', 'sent'],
      ['authorize', 'authorized'],
      ['pay', 'paid'],
    ]) {
      expect(await post(`${path}/${route}`)).toMatchObject({
        status: 200,
        body: { ...created.body, status, updated_at: expect.any(String) },
      });
    }
    const read = await ask('GET', ROUTE + path);
    expect(read).toMatchObject({ status: 200, body: { status: 'paid' } });
    expect(await ask('GET', `${ROUTE}?limit=1`)).toEqual({ status: 200, body: [read.body] });
  });

  it('refuses with stable codes', async () => {
    const { id } = (await post('', DRAFT)).body;
    expect(await post('', DRAFT)).toEqual({ status: 409, body: { detail: 'duplicate_invoice_number' } });
    const illegal = { status: 409, body: { detail: 'invoice_transition_not_allowed' } };
    expect(await post(`/${id}/pay`)).toEqual(illegal);
    expect((await post(`/${id}/cancel`)).body.status).toBe('cancelled');
    expect(await post(`/${id}/cancel`)).toEqual(illegal);
    const unknown = { status: 404, body: { detail: 'invoice_not_found' } };
    for (const missing of [new UuidV7Generator().next(), 'no-uuid']) {
      expect(await ask('GET', `${ROUTE}/${missing}`)).toEqual(unknown);
      expect(await post(`/${missing}/send`)).toEqual(unknown);
    }
    const stranger = await app.clientOf('stranger');
    expect(await ask('GET', `${ROUTE}/${id}`, undefined, stranger)).toEqual(unknown);
    expect(await ask('POST', `${ROUTE}/${id}/send`, undefined, stranger)).toEqual(unknown);
    const reader = await app.clientOf('stranger', 'webhooks:read');
    expect(await ask('POST', ROUTE, DRAFT, reader)).toEqual({
      status: 403,
      body: { detail: 'insufficient_scope' },
    });
  });

  it('does not create what it is to send and cannot', async () => {
    expect(await post('', { ...DRAFT, total_cents: 0, send: true })).toEqual({
      status: 409,
      body: { detail: 'invoice_transition_not_allowed' },
    });
    expect((await ask('GET', ROUTE)).body).toEqual([]);
    expect(await post('', { ...DRAFT, send: true })).toMatchObject({ status: 201, body: { status: 'sent' } });
  });

  it.each([
    ['number', ['', 'ä', '-1', 'F 1', 'x'.repeat(51), 7, null, undefined]],
    ['customer', ['', ' Sol', 'Sol ', 'a\nb', 'a\u0000b', '\ud800', 'x'.repeat(201), {}, undefined]],
    ['total_cents', [-1, 0.5, '12', 90_000_000_000_001, null, undefined]],
    ['currency', ['', 'EURO', 'ZZZ', 978, undefined]],
    ['send', ['yes', 1, null]],
    ['note', ['unknown field']],
  ])('refuses a bad %s, once and by name', async (field, values) => {
    for (const value of values) {
      const answer = await post('', { ...DRAFT, [field]: value });
      expect(answer).toMatchObject({ status: 400, body: { detail: [{ loc: ['body', field] }] } });
      expect(answer.body.detail).toHaveLength(1);
    }
    expect((await ask('GET', ROUTE)).body).toEqual([]);
  });

  it('pages newest first behind the Link header', async () => {
    for (let number = 1; number <= 5; number += 1) await post('', { ...DRAFT, number: `F-${number}` });
    const pages: string[][] = [];
    for (let next: string | undefined = `${ROUTE}?limit=2`; next !== undefined;) {
      const page: ApiAnswer<{ number: string }[]> = await client.request('GET', next);
      expect(page.status).toBe(200);
      pages.push(page.body.map(({ number }) => number));
      next = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([['F-5', 'F-4'], ['F-3', 'F-2'], ['F-1']]);
    expect(await ask('GET', `${ROUTE}?cursor=nonsense`)).toMatchObject({
      status: 400,
      body: { detail: [{ loc: ['query', 'cursor'] }] },
    });
  });

  it.each(['0', '101', '1.5', 'x', ''])('refuses limit=%s', async (limit) => {
    const answer = await ask('GET', `${ROUTE}?limit=${limit}`);
    expect(answer).toMatchObject({ status: 400, body: { detail: [{ loc: ['query', 'limit'] }] } });
  });
});
