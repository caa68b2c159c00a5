import { request as httpRequest } from 'node:http';

import { beforeAll, expect, it } from '@jest/globals';

import { signToken, type ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { JWT_SECRET, type RunningService } from '../combination.js';

const HOOKS = '/api/v1/tenant/webhooks';
const SUBSCRIPTION = { event: 'panel.made', url: 'https://hooks.customer.com/panel' };

interface Link {
  readonly id: string;
  readonly url: string;
  readonly scope: string;
}

/** A browser with one page of an origin and, once it has opened a link, the cookie of its session. */
class Browser {
  cookie = '';

  constructor(
    private readonly url: string,
    private readonly origin = url,
  ) {}

  send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(this.url + path, {
      method,
      headers: {
        origin: this.origin,
        'sec-fetch-site': this.origin === this.url ? 'same-origin' : 'cross-site',
        'x-panel': '1',
        cookie: this.cookie,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async open(link: string): Promise<Response> {
    const answer = await this.send('POST', '/panel/session', { token: link.split('#s=')[1] });
    this.cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    return answer;
  }
}

/** Links into the panel, and the sessions that come of them. */
export function panelSessions(running: () => RunningService): void {
  let url: string;
  let api: ApiClient;

  beforeAll(async () => {
    url = running().server.url;
    api = await running().clientOf('panel');
  });

  const linkOf = async (body?: object, client = api): Promise<Link> => {
    const made = await client.post<Link>('/panel-sessions', body);
    expect({ status: made.status, text: made.text }).toEqual({ status: 201, text: expect.any(String) });
    return made.body;
  };
  const opened = async (body?: object, client = api): Promise<Browser> => {
    const browser = new Browser(url);
    expect((await browser.open((await linkOf(body, client)).url)).status).toBe(201);
    return browser;
  };
  const refused = async (answer: Promise<Response>): Promise<unknown> => {
    const { status, ...response } = await answer.then(async (one) => ({
      status: one.status,
      body: (await one.json()) as { detail: unknown },
    }));
    return [status, response.body.detail];
  };

  // Red when the cookie speaks for another tenant, or for more than its token.
  it('let a page of the service do what the token may, for its tenant alone', async () => {
    const link = await linkOf();
    expect(link.url).toMatch(/^\/panel\/#s=[\w-]{22}$/);
    const browser = new Browser(url);
    const answer = await browser.open(link.url);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^whp=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800$/),
    ]);
    const made = await browser.send('POST', `${HOOKS}/subscriptions`, SUBSCRIPTION);
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    expect((await browser.send('GET', `${HOOKS}/subscriptions/${id}`)).status).toBe(200);
    expect(await (await browser.send('GET', '/panel/session')).json()).toMatchObject({
      ...{ id: link.id, tenant_id: 'panel', subject: 'test-user', read_only: false },
      scope: 'webhooks:read webhooks:write',
    });

    const other = await opened(undefined, await running().clientOf('panel_other'));
    expect(await refused(other.send('GET', `${HOOKS}/subscriptions/${id}`))).toEqual([
      404,
      'subscription_not_found',
    ]);
    const { body: trail } = await api.get<{ action: string; details: object }[]>('/audit');
    expect(trail.map(({ action }) => action)).toEqual([
      'subscription.created',
      'panel_session.opened',
      'panel_session.created',
    ]);
    expect(trail[0]!.details).toMatchObject({ panel_session: link.id });
  });

  it('come of a link once, from our own page, and of nothing made up', async () => {
    const { url: link } = await linkOf();
    const elsewhere = new Browser(url, 'https://evil.example.com');
    expect(await refused(elsewhere.open(link))).toEqual([403, 'cross_origin_refused']);
    const plain = new Browser(url);
    const token = link.split('#s=')[1];
    expect(await refused(plain.send('POST', '/panel/session', { token }, { 'x-panel': '' }))).toEqual([
      403,
      'cross_origin_refused',
    ]);
    expect((await plain.open(link)).status).toBe(201);
    const again = new Browser(url);
    const replayed = await again.open(link);
    expect(replayed.headers.getSetCookie()).toEqual([]);
    expect(await refused(Promise.resolve(replayed))).toEqual([401, 'panel_link_invalid']);
    expect(await refused(again.open('/panel/#s=AAAAAAAAAAAAAAAAAAAAAA'))).toEqual([
      401,
      'panel_link_invalid',
    ]);
    expect(
      (await fetch(`${url}/panel/session`, { headers: { cookie: `whp=${'A'.repeat(43)}` } })).status,
    ).toBe(401);
  });

  // A browser would drop the cookie over plain http to another machine: the link is not spent for it.
  it('are for https, and for this machine without', async () => {
    const token = (await linkOf()).url.split('#s=')[1];
    const from = (origin: string): Promise<[number | undefined, string[] | undefined]> =>
      new Promise((resolve, reject) => {
        const headers = {
          host: 'hooks.customer.com',
          origin,
          'x-panel': '1',
          'content-type': 'application/json',
        };
        httpRequest(`${url}/panel/session`, { method: 'POST', headers }, (response) => {
          response.resume();
          response.once('end', () => resolve([response.statusCode, response.headers['set-cookie']]));
        })
          .on('error', reject)
          .end(JSON.stringify({ token }));
      });
    expect(await from('http://hooks.customer.com')).toEqual([403, undefined]);
    expect(await from('https://hooks.customer.com')).toEqual([
      201,
      [
        expect.stringMatching(
          /^__Host-whp=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=28800; Secure$/,
        ),
      ],
    ]);
  });

  it('change nothing for another page, nor without saying so', async () => {
    const browser = await opened();
    const elsewhere = new Browser(url, 'https://evil.example.com');
    elsewhere.cookie = browser.cookie;
    const body = { ...SUBSCRIPTION, event: 'panel.forged' };
    const forged = [403, 'cross_origin_refused'];
    expect(await refused(elsewhere.send('POST', `${HOOKS}/subscriptions`, body))).toEqual(forged);
    expect(await refused(elsewhere.send('GET', `${HOOKS}/subscriptions`))).toEqual(forged);
    const silent = browser.send('POST', `${HOOKS}/subscriptions`, body, { 'x-panel': '' });
    expect(await refused(silent)).toEqual(forged);
    const sameSite = browser.send('POST', `${HOOKS}/subscriptions`, body, { 'sec-fetch-site': 'same-site' });
    expect(await refused(sameSite)).toEqual(forged);
    expect((await api.get<unknown[]>('/subscriptions?event=panel.forged')).body).toEqual([]);
    // A token is asked nothing of this: no browser sends one by itself.
    expect(
      (
        await api.request('GET', HOOKS + '/subscriptions', {
          headers: { origin: 'https://evil.example.com' },
        })
      ).status,
    ).toBe(200);
  });

  it('that only look change nothing, and none makes another', async () => {
    const looking = await opened({ read_only: true });
    expect((await looking.send('GET', `${HOOKS}/subscriptions`)).status).toBe(200);
    expect(await refused(looking.send('POST', `${HOOKS}/subscriptions`, SUBSCRIPTION))).toEqual([
      403,
      'insufficient_scope',
    ]);
    const preview = await looking.send('POST', `${HOOKS}/subscriptions/preview`, {
      template: 'thin',
      payload: {},
    });
    expect(preview.status).toBe(200);
    const writing = await opened();
    for (const browser of [looking, writing]) {
      expect(await refused(browser.send('POST', `${HOOKS}/panel-sessions`, {}))).toEqual([
        403,
        'bearer_required',
      ]);
    }
    const reader = await running().clientOf('panel', 'webhooks:read');
    expect((await linkOf({ read_only: false }, reader)).scope).toBe('webhooks:read');
  });

  it('of an administrator are of no tenant', async () => {
    const token = await signToken({ secret: JWT_SECRET, scope: 'webhooks:admin' });
    const make = (authorization: string): Promise<Response> =>
      fetch(`${url}/api/v1/admin/webhooks/panel-sessions`, { method: 'POST', headers: { authorization } });
    const made = await make(`Bearer ${token}`);
    expect(made.status).toBe(201);
    const browser = new Browser(url);
    await browser.open(((await made.json()) as Link).url);
    expect(await (await browser.send('GET', '/panel/session')).json()).toMatchObject({
      ...{ tenant_id: null, scope: 'webhooks:admin' },
    });
    expect(await refused(browser.send('GET', `${HOOKS}/subscriptions`))).toEqual([403, 'tenant_required']);
    const tenants = await signToken({ secret: JWT_SECRET, tenantId: 'panel' });
    expect(await refused(make(`Bearer ${tenants}`))).toEqual([403, 'insufficient_scope']);
    expect(await refused(make(''))).toEqual([401, 'not_authenticated']);
  });

  it('end when their browser says so, for a token that was copied too', async () => {
    const browser = await opened();
    const stream = await browser.send('GET', `${HOOKS}/stream?max_seconds=1`);
    expect(stream.status).toBe(200);
    await stream.body!.cancel();
    const copy = new Browser(url);
    copy.cookie = browser.cookie;
    const elsewhere = new Browser(url, 'https://evil.example.com');
    elsewhere.cookie = browser.cookie;
    expect(await refused(elsewhere.send('DELETE', '/panel/session'))).toEqual([403, 'cross_origin_refused']);
    expect((await copy.send('GET', `${HOOKS}/subscriptions`)).status).toBe(200);
    const ended = await browser.send('DELETE', '/panel/session');
    expect(ended.status).toBe(204);
    expect(ended.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-whp=; .*Max-Age=0; Secure$/),
      expect.stringMatching(/^whp=; .*Max-Age=0$/),
    ]);
    expect(await refused(copy.send('GET', `${HOOKS}/subscriptions`))).toEqual([401, 'not_authenticated']);
    expect((await browser.send('DELETE', '/panel/session')).status).toBe(204);
  });

  it('leave lines in the log, without what opens them', async () => {
    const { url: link, id } = await linkOf();
    const browser = new Browser(url);
    await browser.open(link);
    await browser.send('POST', `${HOOKS}/subscriptions?canary=query`, {
      ...SUBSCRIPTION,
      event: 'panel.logged',
    });
    const linesOf = (): string[] => running().server.output.filter((line) => line.includes(id));
    await eventually(() => expect(linesOf()).toHaveLength(3));
    const lines = linesOf().join('\n');
    expect(lines).toContain('Panel session asks for a change');
    expect(lines).toContain('test-user');
    for (const secret of [link.split('#s=')[1]!, browser.cookie.split('=')[1]!, 'canary']) {
      expect(running().server.output.filter((line) => line.includes(secret))).toEqual([]);
    }
  });
}
