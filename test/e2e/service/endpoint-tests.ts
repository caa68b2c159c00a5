import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { WebhookSignature } from '../../../src/modules/webhooks/domain/signature.js';
import type { ApiAnswer, ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver, type ReceivedRequest } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';
import type { EventType } from './catalogue.js';

interface Tested {
  readonly id: string;
  readonly event_id: string;
  readonly status: string;
  readonly attempt_log: readonly { readonly trigger: string; readonly status_code: number | null }[];
}

const SECRET = 'secret-of-a-tested-endpoint';

/** Sending an example to an endpoint, to see what it answers. */
export function endpointTests(running: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await running().clientOf('endpoint_tests');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (path: string, wish: object): Promise<string> => {
    const made = await api.post<{ id: string }>('/subscriptions', {
      url: `${receiver.url}/${path}`,
      secret: SECRET,
      ...wish,
    });
    expect(made.status).toBe(201);
    return made.body.id;
  };
  const test = async (id: string, body?: object): Promise<ApiAnswer<Tested>> =>
    api.post<Tested>(`/subscriptions/${id}/test`, body);
  const requestsAt = (path: string): ReceivedRequest[] =>
    receiver.requests.filter(({ url }) => url === `/${path}`);

  // Red when a test takes a way of its own: then any of what the subscription asks for may be missing.
  it('sends the example of an event type as any delivery, and answers with what came of it', async () => {
    const wish = {
      events: ['payment.*'],
      template: 'standard',
      headers: { 'X-Source': 'erp' },
      filter: { no: 1 },
    };
    const id = await subscribe('whole', wish);
    receiver.queue({ status: 202, body: 'thanks' });
    const answer = await test(id);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ...{
          event: 'payment.failed',
          status: 'DELIVERED',
          attempts: 1,
          subscription_id: id,
          last_error: null,
        },
        attempt_log: [
          { number: 1, trigger: 'manual', probe: false, status_code: 202, response_body: 'thanks' },
        ],
      },
    });
    const [request] = requestsAt('whole');
    const { headers, rawBody: body } = request!;
    expect(headers).toMatchObject({
      ...{ 'x-event': 'payment.failed', 'x-source': 'erp', 'webhook-id': answer.body.id },
    });
    expect(WebhookSignature.verifyStandard({ secret: SECRET, headers, body })).toMatchObject({ ok: true });
    const types = (await api.get<EventType[]>('/event-types')).body;
    const { example } = types.find(({ event }) => event === 'payment.failed')!;
    expect(JSON.parse(body.toString())).toMatchObject({ type: 'payment.failed', data: example });
    expect((await api.get(`/deliveries?subscription_id=${id}`)).body).toMatchObject([{ id: answer.body.id }]);
    expect((await api.get(`/events/${answer.body.event_id}`)).body).toMatchObject({
      ...{ test: true, event: 'payment.failed', payload: example, delivery_count: 1 },
    });

    expect((await test(id, { event: ' Invoice.paid ' })).body).toMatchObject({ event: 'invoice.paid' });
    expect(await test(id, { event: 'made.up' })).toMatchObject({
      ...{ status: 400, body: { detail: [{ loc: ['body', 'event'] }] } },
    });
    expect((await api.get(`/audit?resource_id=${id}&action=subscription.tested`)).body).toMatchObject([
      ...[{ details: { event: 'invoice.paid' } }, { details: { event: 'payment.failed' } }],
    ]);
  }, 60_000);

  it('is an array where batches are wanted, signed with its own keys, and with both secrets while they overlap', async () => {
    const wish = { event: 'test', batch: { max_events: 5 }, signature: { scheme: 'v1a' } };
    const id = await subscribe('own', wish);
    const rotated = await api.post<{ public_key: string; generated_secret: string }>(
      `/subscriptions/${id}/rotate-secret`,
      { overlap_seconds: 3_600 },
    );
    expect(rotated.status).toBe(200);
    const answer = await test(id);
    expect(answer.body).toMatchObject({ status: 'DELIVERED', attempts: 1 });
    const [{ headers, rawBody: body }] = requestsAt('own') as [ReceivedRequest];
    expect(headers).toMatchObject({ 'webhook-id': answer.body.id, 'x-delivery-ids': answer.body.id });
    expect(JSON.parse(body.toString())).toHaveLength(1);
    for (const secret of [rotated.body.public_key, rotated.body.generated_secret, SECRET]) {
      expect(WebhookSignature.verifyStandard({ secret, headers, body })).toMatchObject({ ok: true });
    }
    expect(headers['x-signature-previous']).toBe(WebhookSignature.sign(SECRET, body));
  }, 60_000);

  it('is made once, counts for nothing, and is sent again by nothing', async () => {
    const id = await subscribe('failing', {
      event: 'tried.out',
      circuit: { failures: 3 },
      retry_schedule: [1],
    });
    receiver.behave(({ url }) => (url === '/failing' ? 503 : 200));
    for (let n = 0; n < 4; n += 1) {
      expect(await test(id)).toMatchObject({
        ...{ status: 200, body: { event: 'test', status: 'FAILED', attempts: 1, last_error: 'HTTP 503' } },
      });
    }
    expect((await api.get(`/subscriptions/${id}`)).body).toMatchObject({
      circuit: { state: 'closed', consecutive_failures: 0 },
    });
    const since = { since: '2020-01-01', dry_run: true };
    expect((await api.post(`/subscriptions/${id}/recover`, since)).body).toMatchObject({ count: 0 });
    const other = await subscribe('other', { event: 'test' });
    expect((await api.post(`/subscriptions/${other}/replay-missing`, since)).body).toMatchObject({
      count: 0,
    });
    expect(requestsAt('failing')).toHaveLength(4);
    expect((await api.delete(`/subscriptions/${id}`)).status).toBe(204);
    expect(await test(id)).toMatchObject({ status: 409, body: { detail: 'subscription_inactive' } });
  }, 60_000);

  it('is sent past a pause and an open circuit, whose probe its success makes due', async () => {
    const id = await subscribe('open', { event: 'open.made', circuit: { failures: 3 }, retry_schedule: [] });
    const emit = async (): Promise<string> =>
      (await api.post<{ delivery_ids: string[] }>('/deliveries', { event: 'open.made', payload: {} })).body
        .delivery_ids[0]!;
    const shows = async (path: string, what: object): Promise<void> =>
      eventually(async () => expect((await api.get(path)).body).toMatchObject(what), { timeoutMs: 30_000 });
    receiver.behave(({ url }) => (url === '/open' ? 500 : 200));
    for (let n = 0; n < 3; n += 1) await shows(`/deliveries/${await emit()}`, { status: 'FAILED' });
    await shows(`/subscriptions/${id}`, { circuit: { state: 'open' } });
    const held = await emit();
    expect((await test(id)).body).toMatchObject({ status: 'FAILED' });
    await shows(`/deliveries/${held}`, { held_reason: 'circuit_open' });
    receiver.behave(200);
    expect((await api.post(`/subscriptions/${id}/pause`)).status).toBe(200);
    expect((await test(id)).body).toMatchObject({ status: 'DELIVERED' });
    await shows(`/deliveries/${held}`, { status: 'PENDING', held_reason: 'paused' });
    expect((await api.post(`/subscriptions/${id}/resume`)).status).toBe(200);
    await shows(`/deliveries/${held}`, { status: 'DELIVERED' });
    await shows(`/subscriptions/${id}`, { circuit: { state: 'closed' } });
  }, 120_000);

  it('is made ten times in a minute and no more, whoever asks', async () => {
    const id = await subscribe('often', { event: 'often.made' });
    const answers = await Promise.all(Array.from({ length: 6 }, () => test(id)));
    answers.push(...(await Promise.all(Array.from({ length: 6 }, () => test(id)))));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array.from({ length: 10 }, () => 200),
      ...[429, 429],
    ]);
    const { headers, body } = answers.find(({ status }) => status === 429)!;
    expect(body).toEqual({ detail: 'too_many_tests' });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(requestsAt('often')).toHaveLength(10);
  }, 60_000);
}
