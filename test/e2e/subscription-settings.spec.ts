import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { WebhookSignature } from '../../src/modules/webhooks/domain/signature.js';
import type { ApiClient } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { Receiver } from '../support/receiver.js';
import { startCombination, type RunningService } from './combination.js';

interface Delivery {
  readonly status: string;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly held_reason: string | null;
  readonly held_until: string | null;
}

describe.each(['inline', 'redis'] as const)(
  'what a subscription asks for, on PostgreSQL, %s',
  (dispatcher) => {
    let service: RunningService;
    let receiver: Receiver;
    let api: ApiClient;

    beforeAll(async () => {
      service = await startCombination(
        { database: 'postgres', dispatcher },
        { WEBHOOK_TIMEOUT_SECONDS: '2' },
      );
      receiver = await Receiver.start();
      api = await service.clientOf('acme');
    }, 180_000);

    afterAll(async () => {
      await receiver?.close();
      await service?.dispose();
    });

    const subscribe = async (event: string, settings: object): Promise<string> => {
      const url = `${receiver.url}/${event}`;
      const answer = await api.post<{ id: string }>('/subscriptions', { event, url, ...settings });
      expect(answer).toMatchObject({ status: 201, body: settings });
      return answer.body.id;
    };

    const emit = async (event: string): Promise<string> => {
      const answer = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload: {} });
      expect(answer.status).toBe(202);
      return answer.body.delivery_ids[0]!;
    };

    const timesOf = (event: string): number[] =>
      receiver.requests.filter(({ url }) => url === `/${event}`).map(({ receivedAtMs }) => receivedAtMs);

    const settled = async (id: string, expected: Partial<Delivery>): Promise<void> => {
      await eventually(
        async () => expect((await api.get<Delivery>(`/deliveries/${id}`)).body).toMatchObject(expected),
        { timeoutMs: 60_000, intervalMs: 50 },
      );
    };

    it('names every problem with its place, and changes nothing', async () => {
      const wrong = {
        retry_schedule: [1, 0, 'x'],
        timeout_seconds: 31,
        rate_limit: { max: 0, per_seconds: 1 },
      };
      const answer = await api.post('/subscriptions', { event: 'A b', url: `${receiver.url}/x`, ...wrong });
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({
        detail: [
          { loc: ['body', 'event'] },
          { loc: ['body', 'retry_schedule', 1], msg: 'retry_schedule[1] must be an integer from 1 to 86400' },
          { loc: ['body', 'retry_schedule', 2], msg: 'retry_schedule[2] must be an integer from 1 to 86400' },
          { loc: ['body', 'timeout_seconds'], msg: 'timeout_seconds must be an integer from 1 to 30' },
          { loc: ['body', 'rate_limit', 'max'], msg: 'rate_limit.max must be an integer from 1 to 1000' },
        ],
      });
      const long = await api.post('/subscriptions', {
        ...{ event: 'a.b', url: `${receiver.url}/x` },
        retry_schedule: Array<number>(8).fill(86_400),
      });
      expect(long).toMatchObject({ status: 400, body: { detail: [{ msg: 'Longer than 7 days' }] } });
    });

    it('keeps what a PATCH leaves out, and takes null for the default', async () => {
      const id = await subscribe('settings.merged', { retry_schedule: 'standard', timeout_seconds: 20 });
      const patch = async (change: object): Promise<unknown> =>
        (await api.request('PATCH', `/api/v1/tenant/webhooks/subscriptions/${id}`, { body: change })).body;
      expect(await patch({ timeout_seconds: 5 })).toMatchObject({
        ...{ retry_schedule: 'standard', timeout_seconds: 5 },
      });
      expect(await patch({ retry_schedule: null })).toMatchObject({
        ...{ retry_schedule: 'default', timeout_seconds: 5 },
      });
      expect(await patch({ timeout_seconds: null })).toMatchObject({ timeout_seconds: null });
      expect((await api.get(`/subscriptions/${id}`)).body).toMatchObject({
        ...{ retry_schedule: 'default', timeout_seconds: null },
      });
    });

    it('tries again by its own schedule and no longer, never before the wait', async () => {
      await subscribe('settings.list', { retry_schedule: [1, 2] });
      await subscribe('settings.none', { retry_schedule: [] });
      receiver.behave(({ url }) => (url.startsWith('/settings.') ? 500 : 200));
      const [id, none] = [await emit('settings.list'), await emit('settings.none')];
      await settled(none, { status: 'FAILED', attempts: 1, last_error: 'HTTP 500' });
      await settled(id, { status: 'FAILED', attempts: 3, last_error: 'HTTP 500' });
      const [first = 0, second = 0, third = 0] = timesOf('settings.list');
      expect(second - first).toBeGreaterThanOrEqual(790);
      expect(third - second).toBeGreaterThanOrEqual(1_590);
      receiver.behave(() => 200);
    }, 120_000);

    // Red when a PATCH with what was read makes `***` of a secret value, or the log keeps it.
    it('adds its headers, shows secret ones masked, and keeps them through a PATCH with what was read', async () => {
      const given = { 'X-Source': 'erp', Authorization: 'Bearer e2e-value', 'X-Api-Key': 'e2e-key' };
      const shown = { ...given, Authorization: '***', 'X-Api-Key': '***' };
      const url = `${receiver.url}/settings.headers`;
      const made = await api.post<{ id: string }>('/subscriptions', {
        ...{ event: 'settings.headers', url, headers: given, description: 'Stock' },
      });
      expect(made).toMatchObject({ status: 201, body: { headers: shown, description: 'Stock' } });
      const path = `/subscriptions/${made.body.id}`;
      const { headers } = (await api.get<{ headers: object }>(path)).body;
      const changed = await api.patch(path, { headers: { ...headers, 'X-Source': 'two' } });
      expect(changed).toMatchObject({ status: 200, body: { headers: { ...shown, 'X-Source': 'two' } } });
      const id = await emit('settings.headers');
      await settled(id, { status: 'DELIVERED' });
      const request = receiver.requests.find((one) => one.url === '/settings.headers');
      expect(request?.headers).toMatchObject({
        ...{ 'x-source': 'two', authorization: 'Bearer e2e-value', 'x-api-key': 'e2e-key' },
      });
      const { body, text } = await api.get<{ attempt_log: object[] }>(`/deliveries/${id}`);
      expect(body.attempt_log).toMatchObject([{ request_headers: { ...shown, 'X-Source': 'two' } }]);
      expect(text).not.toMatch(/e2e-(value|key)/);
    }, 60_000);

    it('listens to several events, each of them once', async () => {
      const url = `${receiver.url}/settings.several`;
      const events = ['several.a', 'several.*', 'other.b'];
      const made = await api.post<{ id: string }>('/subscriptions', { events, url });
      expect(made).toMatchObject({ status: 201, body: { event: 'several.a', events } });
      const again = await api.post('/subscriptions', { event: 'other.b', url });
      expect(again).toMatchObject({ status: 409, body: { detail: 'duplicate_subscription' } });
      for (const event of ['several.a', 'several.c', 'other.b']) {
        await settled(await emit(event), { status: 'DELIVERED' });
      }
      const names = (): unknown[] =>
        receiver.requests
          .filter((one) => one.url === '/settings.several')
          .map(({ headers }) => headers['x-event']);
      expect(names()).toEqual(['several.a', 'several.c', 'other.b']);
      const path = `/subscriptions/${made.body.id}`;
      expect(await api.patch(path, { event: 'other.c' })).toMatchObject({ body: { events: ['other.c'] } });
      expect((await api.post('/deliveries', { event: 'other.b', payload: {} })).status).toBe(404);
      await settled(await emit('other.c'), { status: 'DELIVERED' });
      expect(names()).toHaveLength(4);
    }, 60_000);

    // Red when a body is made of the parsed payload: 1.10 and the long number change.
    it('sends the body in the form that it asks for, signed as it is sent, and shows it before', async () => {
      const payload = '{"z":1.10,"id":12345678901234567890,"10":[],"2":"ñ"}';
      const secret = 'the-secret-of-templates';
      const templates = ['raw', 'standard', 'cloudevents', 'envelope', 'thin'];
      for (const template of templates) {
        const url = `${receiver.url}/form.${template}`;
        const made = await api.post('/subscriptions', { event: 'form.made', url, secret, template });
        expect(made).toMatchObject({ status: 201, body: { template } });
      }
      const before = receiver.requests.length;
      const sent = await api.post<{ event_id: string }>(
        '/deliveries',
        `{"event":"form.made","payload":${payload}}`,
      );
      expect(sent.status).toBe(202);
      await receiver.waitForCount(before + templates.length);
      for (const template of templates) {
        const { headers, rawBody } = receiver.requests.find(({ url }) => url === `/form.${template}`)!;
        expect(WebhookSignature.verifyStandard({ secret, headers, body: rawBody }).ok).toBe(true);
        const preview = await api.post('/subscriptions/preview', { template, event_id: sent.body.event_id });
        expect(preview).toMatchObject({
          status: 200,
          body: {
            ...{ event: 'form.made', before: { content_type: 'application/json', body: payload } },
            after: { content_type: headers['content-type'], body: rawBody.toString() },
          },
        });
        if (template !== 'thin') expect(rawBody.toString()).toContain(payload);
      }
      const thin = receiver.requests.find(({ url }) => url === '/form.thin')!.rawBody.toString();
      expect(thin).toContain('"resource_id":12345678901234567890}');
      const given = await api.post<{ after: { body: string } }>(
        '/subscriptions/preview',
        `{"template":"standard","event":"a.b","payload":${payload}}`,
      );
      expect(given.body.after.body).toContain(`"data":${payload}}`);
      // An event that is named, or the most recent one, of any name or of one.
      await subscribe('form.later', {});
      await emit('form.later');
      for (const [of, event, body] of [
        [{}, 'form.later', '{}'],
        [{ event_id: sent.body.event_id }, 'form.made', payload],
        [{ event: 'form.made' }, 'form.made', payload],
      ] as const) {
        const recent = await api.post('/subscriptions/preview', { template: 'raw', ...of });
        expect(recent.body).toMatchObject({ event, before: { body }, after: { body } });
      }
    }, 60_000);

    // Red when a claim does not ask the lane.
    it('keeps what a paused subscription gets back until it is resumed', async () => {
      const id = await subscribe('settings.paused', { retry_schedule: [] });
      await subscribe('settings.beside', {});
      for (const _twice of [1, 2]) {
        expect(await api.post(`/subscriptions/${id}/pause`)).toMatchObject({
          status: 200,
          body: { paused: true },
        });
      }
      const delivery = await emit('settings.paused');
      const held = { status: 'PENDING', attempts: 0, held_reason: 'paused', held_until: null };
      await settled(delivery, held);
      // It stays so: what comes after it, for another, goes the whole way meanwhile.
      for (let n = 0; n < 3; n += 1) await settled(await emit('settings.beside'), { status: 'DELIVERED' });
      await settled(delivery, held);
      expect(timesOf('settings.paused')).toEqual([]);
      expect((await api.post(`/subscriptions/${id}/resume`)).body).toMatchObject({ paused: false });
      await settled(delivery, { status: 'DELIVERED', attempts: 1, held_reason: null });
      expect((await api.request('DELETE', `/api/v1/tenant/webhooks/subscriptions/${id}`)).status).toBe(204);
      const refused = { status: 409, body: { detail: 'subscription_inactive' } };
      expect(await api.post(`/subscriptions/${id}/pause`)).toMatchObject(refused);
      expect(await api.post(`/subscriptions/${id}/resume`)).toMatchObject(refused);
    }, 120_000);

    // Red with a burst, or when one process does not see what another has sent.
    it('sends no more than the rate of a subscription, evenly', async () => {
      await subscribe('settings.rated', { rate_limit: { max: 5, per_seconds: 1 } });
      const ids = await Promise.all(Array.from({ length: 12 }, () => emit('settings.rated')));
      for (const id of ids) await settled(id, { status: 'DELIVERED', attempts: 1 });
      const times = timesOf('settings.rated').sort((one, other) => one - other);
      expect(times).toHaveLength(12);
      // Eleven gaps of 200 ms. A busy machine makes some requests late, and so what follows each of them early: not most.
      expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(1_400);
      const even = times.slice(1).filter((at, index) => at - times[index]! >= 100);
      expect(even.length).toBeGreaterThan(times.length / 2);

      const slow = await subscribe('settings.raised', { rate_limit: { max: 1, per_seconds: 3_600 } });
      const [first, second] = [await emit('settings.raised'), await emit('settings.raised')];
      await settled(first, { status: 'DELIVERED' });
      await settled(second, { status: 'PENDING', attempts: 0, held_reason: 'rate_limited' });
      // As late as the new rate has it, and no later.
      const raised = { rate_limit: { max: 1, per_seconds: 2 } };
      expect((await api.patch(`/subscriptions/${slow}`, raised)).body).toMatchObject(raised);
      await settled(second, { status: 'DELIVERED', attempts: 1, held_reason: null });
      const [firstAt = 0, secondAt = 0] = timesOf('settings.raised');
      expect(secondAt - firstAt).toBeGreaterThanOrEqual(1_950);
    }, 120_000);

    // Red when an expression runs in the service's own thread: an endless one stops everything.
    it('sends what an expression makes; one that fails or never ends hurts nobody else', async () => {
      const make = (event: string, jsonata: string): Promise<string> =>
        subscribe(event, { template: { jsonata } });
      await make('made.good', '{"n": n + 1, "type": $event.type, "at": $now()}');
      await make('made.bad', '$error("not like this")');
      await make('made.endless', '($f := function($n) { $f($n + 1) }; {"a": $f(0)})');
      const request = async (event: string): Promise<string> => {
        const payload = { n: 1 };
        const answer = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload });
        return answer.body.delivery_ids[0]!;
      };
      const endless = request('made.endless');
      const times: number[] = [];
      for (let n = 0; n < 20; n += 1) {
        const from = performance.now();
        await (await fetch(`${service.server.url}/health/live`)).text();
        times.push(performance.now() - from);
      }
      expect(times.sort((a, b) => a - b)[10]).toBeLessThan(250);
      await settled(await request('made.bad'), {
        ...{ status: 'FAILED', attempts: 1, last_error: 'Template error: not like this at 7' },
      });
      await settled(await request('made.good'), { status: 'DELIVERED' });
      const { rawBody } = receiver.requests.find(({ url }) => url === '/made.good')!;
      expect(JSON.parse(rawBody.toString())).toMatchObject({ n: 2, type: 'made.good' });
      await settled(await endless, { status: 'FAILED', attempts: 4 });
      const { body } = await api.get<Delivery>(`/deliveries/${await endless}`);
      expect(body.last_error).toMatch(/^Template error: /);
      expect(timesOf('made.endless').concat(timesOf('made.bad'))).toEqual([]);
      const refused = await api.post('/subscriptions', {
        ...{ event: 'made.refused', url: receiver.url, template: { jsonata: '$eval("1")' } },
      });
      expect(refused).toMatchObject({
        status: 400,
        body: {
          detail: [{ loc: ['body', 'template'], msg: expect.stringMatching(/^Template: \$eval .* at \d+$/) }],
        },
      });
      const preview = await api.post(
        '/subscriptions/preview',
        '{"template":{"jsonata":"$"},"payload":{"n":1.10}}',
      );
      expect(preview).toMatchObject({
        status: 200,
        body: { after: { body: '{"n":1.1}' }, warnings: ['JSONata reads the number 1.10 as 1.1'] },
      });
    }, 120_000);

    // Red when an attempt has the service's budget of 2 s, or a request that waits for it gives up after that.
    it('waits for an endpoint as long as its subscription says', async () => {
      await subscribe('settings.slow', { timeout_seconds: 30, retry_schedule: [] });
      await subscribe('settings.hasty', { timeout_seconds: 1, retry_schedule: [] });
      receiver.behave(() => ({ status: 200, delayMs: 4_000 }));
      const id = await emit('settings.slow');
      if (dispatcher === 'inline') {
        expect((await api.get(`/deliveries/${id}`)).body).toMatchObject({ status: 'DELIVERED' });
      }
      await settled(id, { status: 'DELIVERED', attempts: 1 });
      const hasty = await emit('settings.hasty');
      await settled(hasty, { status: 'FAILED' });
      const { body } = await api.get<Delivery>(`/deliveries/${hasty}`);
      expect(body.last_error).toMatch(/^Request timeout \(1s\)/);
      receiver.behave(() => 200);
    }, 120_000);
  },
);
