import { createHmac } from 'node:crypto';

import { beforeAll, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';

import { eventually } from '../../support/eventually.js';
import type { ApiClient } from '../../support/api-client.js';
import { Receiver, type ReceivedRequest } from '../../support/receiver.js';
import type { Combination, RunningService } from '../combination.js';

interface Subscription {
  readonly id: string;
  readonly secret: string;
  readonly generated_secret?: string;
}

interface Requested {
  readonly queued: boolean;
  readonly count: number;
  readonly message: string;
  readonly event_id: string;
  readonly delivery_ids: readonly string[];
}

interface Delivery {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly last_error: string | null;
  readonly next_attempt_at: string | null;
  readonly attempt_log: readonly {
    readonly number: number;
    readonly trigger: string;
    readonly status_code: number;
  }[];
}

/** Milliseconds that a wait may be longer than asked for: claiming, sending, a busy machine. Never shorter. */
const LATE_MS = 10_000;

/** What becomes of one delivery, from the request that stores it to the receiver, and what the log tells of it. */
export function deliveryLife(service: () => RunningService, { dispatcher }: Combination): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    api = await service().clientOf('acme');
  });

  const subscribe = async (event: string, secret?: string): Promise<Subscription> => {
    receiver = await Receiver.start();
    const answer = await api.post<Subscription>('/subscriptions', {
      event,
      url: `${receiver.url}/hook?token=abc`,
      ...(secret === undefined ? {} : { secret }),
    });
    expect(answer.status).toBe(201);
    return answer.body;
  };

  const emit = async (event: string, payload: string): Promise<Requested> => {
    const answer = await api.post<Requested>('/deliveries', `{"event":"${event}","payload":${payload}}`);
    expect(answer.status).toBe(202);
    return answer.body;
  };

  const settled = async (id: string, status: string, timeoutMs = 60_000): Promise<Delivery> =>
    eventually(
      async () => {
        const { body } = await api.get<Delivery>(`/deliveries/${id}`);
        expect(body).toMatchObject({ id, status });
        return body;
      },
      { timeoutMs, intervalMs: 50 },
    );

  const only = (received: readonly ReceivedRequest[]): ReceivedRequest => {
    expect(received).toHaveLength(1);
    return received[0]!;
  };

  it('delivers once, byte for byte, with both signatures right', async () => {
    const subscription = await subscribe('life.delivered', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const payload =
      '{"zebra":1,"10":"ten","2":"two","alpha":"ñ € 😀","big":12345678901234567890,"money":10.50}';
    const requested = await emit('life.delivered', payload);
    expect(requested).toMatchObject({ queued: true, count: 1 });
    await receiver.waitForCount(1);

    const request = only(receiver.requests);
    expect(request.method).toBe('POST');
    expect(request.url).toBe('/hook?token=abc');
    expect(request.rawBody.toString('utf8')).toBe(payload);
    const hex = createHmac('sha256', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
      .update(request.rawBody)
      .digest('hex');
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'GestiqCloud-Webhooks/1.0',
      'x-event': 'life.delivered',
      'x-signature': `sha256=${hex}`,
      'x-delivery-id': requested.delivery_ids[0],
      'webhook-id': requested.delivery_ids[0],
    });
    // A verifier that somebody else wrote.
    new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').verify(request.rawBody.toString('utf8'), {
      'webhook-id': String(request.headers['webhook-id']),
      'webhook-timestamp': String(request.headers['webhook-timestamp']),
      'webhook-signature': String(request.headers['webhook-signature']),
    });

    const delivery = await settled(requested.delivery_ids[0]!, 'DELIVERED');
    expect(delivery).toMatchObject({ attempts: 1, last_error: null, next_attempt_at: null });
    const detail = await api.get(`/deliveries/${requested.delivery_ids[0]!}`);
    expect(detail.text).toContain(`"payload":${payload}`);
    expect(detail.text).not.toContain('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    expect(subscription.secret).toBe('***');
    expect(receiver.requests).toHaveLength(1);
    await receiver.close();
  });

  it('retries after 1 s and 2 s with the same webhook-id and a new timestamp', async () => {
    await subscribe('life.retried', 'a-secret-of-some-length');
    receiver.queue(500, 500);
    const requested = await emit('life.retried', '{"n":1}');
    const id = requested.delivery_ids[0]!;
    const delivery = await settled(id, 'DELIVERED');
    expect(delivery.attempts).toBe(3);
    expect(delivery.attempt_log.map((attempt) => attempt.status_code)).toEqual([500, 500, 200]);

    const times = receiver.requests.map((request) => request.receivedAtMs);
    expect(times).toHaveLength(3);
    const waits = [times[1]! - times[0]!, times[2]! - times[1]!];
    expect(waits[0]).toBeGreaterThanOrEqual(990);
    expect(waits[0]).toBeLessThan(1_000 + LATE_MS);
    expect(waits[1]).toBeGreaterThanOrEqual(1_990);
    expect(waits[1]).toBeLessThan(2_000 + LATE_MS);
    expect(new Set(receiver.requests.map((request) => request.headers['webhook-id']))).toEqual(new Set([id]));
    expect(new Set(receiver.requests.map((request) => request.headers['webhook-timestamp'])).size).toBe(3);
    await receiver.close();
  }, 180_000);

  it('fails at once on 404, and delivers on a manual retry', async () => {
    await subscribe('life.failed');
    receiver.queue(404);
    const requested = await emit('life.failed', '{"n":1}');
    const id = requested.delivery_ids[0]!;
    const failed = await settled(id, 'FAILED');
    expect(failed).toMatchObject({ attempts: 1, last_error: 'HTTP 404', next_attempt_at: null });

    const retry = await api.post(`/deliveries/${id}/retry`);
    expect(retry.status).toBe(202);
    expect(retry.body).toMatchObject({ queued: true });
    const delivered = await settled(id, 'DELIVERED');
    expect(delivered.attempts).toBe(2);
    expect(delivered.attempt_log.map((attempt) => attempt.trigger)).toEqual(['auto', 'manual']);

    const again = await api.post(`/deliveries/${id}/retry`);
    expect(again).toMatchObject({ status: 400, body: { detail: 'delivery_not_failed' } });
    expect((await api.post(`/deliveries/${id}/retry`, { force: true })).status).toBe(202);
    await receiver.waitForCount(3);
    await receiver.close();
  }, 180_000);

  it('ends a delivery that is cancelled while it waits, and sends it when it is asked for again', async () => {
    const subscription = await subscribe('life.cancelled');
    expect((await api.post(`/subscriptions/${subscription.id}/pause`)).status).toBe(200);
    const begunAt = Date.now();
    const requested = await emit('life.cancelled', '{}');
    // Inline, a request does not wait for what nothing sends.
    expect(Date.now() - begunAt).toBeLessThan(10_000);
    const id = requested.delivery_ids[0]!;
    const cancelled = await api.post(`/deliveries/${id}/cancel`);
    const ended = { id, status: 'FAILED', attempts: 0, last_error: 'Cancelled', next_attempt_at: null };
    expect(cancelled).toMatchObject({ status: 200, body: { ...ended, held_reason: null } });
    expect((await api.post(`/subscriptions/${subscription.id}/resume`)).status).toBe(200);
    await emit('life.cancelled', '{}');
    await receiver.waitForCount(1);
    expect((await api.get(`/deliveries/${id}`)).body).toMatchObject(ended);

    expect((await api.post(`/deliveries/${id}/retry`)).status).toBe(202);
    await settled(id, 'DELIVERED');
    const late = await api.post(`/deliveries/${id}/cancel`);
    expect(late).toMatchObject({ status: 409, body: { detail: 'delivery_not_pending' } });
    expect(receiver.requests).toHaveLength(2);
    await receiver.close();
  }, 180_000);

  it('deactivates the subscription on 410, and ends what still waits', async () => {
    const subscription = await subscribe('life.gone');
    receiver.queue(410);
    const requested = await emit('life.gone', '{}');
    expect(await settled(requested.delivery_ids[0]!, 'FAILED')).toMatchObject({ last_error: 'HTTP 410' });
    const { body } = await api.get<{ active: boolean }>(`/subscriptions/${subscription.id}`);
    expect(body.active).toBe(false);
    const failed = `/deliveries/${requested.delivery_ids[0]!}`;
    const retry = await api.post(`${failed}/retry`);
    expect(retry).toMatchObject({ status: 409, body: { detail: 'subscription_inactive' } });
    expect((await api.get(failed)).body).toMatchObject({ status: 'FAILED', last_error: 'HTTP 410' });
    const audit = await api.get(`/audit?resource_id=${subscription.id}&action=subscription.deactivated`);
    expect(audit.body).toMatchObject([
      {
        actor_type: 'system',
        actor: 'system',
        details: { reason: 'The endpoint answered 410 Gone' },
        request_id: null,
      },
    ]);
    expect((await api.post('/deliveries', { event: 'life.gone', payload: {} })).body).toEqual({
      detail: 'no_active_subscriptions_for_event',
    });
    await receiver.close();
  });

  it(`answers POST /deliveries ${dispatcher === 'inline' ? 'after' : 'before'} the first attempt`, async () => {
    await subscribe('life.slow');
    receiver.behave({ status: 200, delayMs: 500 });
    const requested = await emit('life.slow', '{}');
    const { body } = await api.get<Delivery>(`/deliveries/${requested.delivery_ids[0]!}`);
    if (dispatcher === 'inline') expect(body.status).toBe('DELIVERED');
    else expect(['PENDING', 'SENDING']).toContain(body.status);
    await settled(requested.delivery_ids[0]!, 'DELIVERED');
    await receiver.close();
  });

  it('gives a repeated Idempotency-Key the first answer and sends nothing twice', async () => {
    await subscribe('life.idempotent');
    const send = (payload: object): ReturnType<typeof api.post> =>
      api.post(
        '/deliveries',
        { event: 'life.idempotent', payload },
        { headers: { 'idempotency-key': 'key-1' } },
      );
    const first = await send({ n: 1 });
    const second = await send({ n: 1 });
    expect(second).toMatchObject({ status: 202, body: first.body });
    expect(await send({ n: 2 })).toMatchObject({ status: 409, body: { detail: 'idempotency_conflict' } });
    await settled((first.body as Requested).delivery_ids[0]!, 'DELIVERED');
    expect(receiver.requests).toHaveLength(1);
    await receiver.close();
  });

  it('sends what the invoicing module commits, and nothing of what it rolls back', async () => {
    receiver = await Receiver.start();
    await api.post('/subscriptions', { event: 'invoice.*', url: `${receiver.url}/invoices` });
    const invoice = { number: 'F-1', customer: 'Cliente, S.L.', total_cents: 12_100, currency: 'EUR' };
    const created = await api.request<{ id: string }>('POST', '/api/v1/tenant/invoices', { body: invoice });
    expect(created.status).toBe(201);
    await receiver.waitForCount(1);
    expect(JSON.parse(only(receiver.requests).rawBody.toString('utf8'))).toMatchObject({
      event: 'invoice.created',
      resource_type: 'invoice',
      resource_id: created.body.id,
      metadata: { tenant_id: 'acme', source: 'gestiqcloud', version: '1.0' },
    });
    // The same number again: the transaction fails as a whole, its event with it.
    expect((await api.request('POST', '/api/v1/tenant/invoices', { body: invoice })).status).toBe(409);
    expect((await api.request('POST', `/api/v1/tenant/invoices/${created.body.id}/send`)).status).toBe(200);
    await receiver.waitForCount(2);
    expect(receiver.requests.map((request) => request.headers['x-event'])).toEqual([
      'invoice.created',
      'invoice.sent',
    ]);
    const listed = await api.get<readonly { event: string }[]>('/deliveries?event=invoice.created');
    expect(listed.body).toHaveLength(1);
    await receiver.close();
  });

  it('keeps tenants apart', async () => {
    const subscription = await subscribe('life.private');
    const stranger = await service().clientOf('stranger');
    const foreign = await stranger.get(`/subscriptions/${subscription.id}`);
    const missing = await stranger.get('/subscriptions/0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11');
    expect(foreign.status).toBe(404);
    expect(foreign.body).toEqual(missing.body);
    expect((await stranger.get('/subscriptions')).body).toEqual([]);
    await receiver.close();
  });

  it('logs the contract’s lines, without query strings or secrets', async () => {
    const lines = service().server.logLines.map((line) => String(line.msg));
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^Attempting webhook delivery 1\/4: life\.delivered to http:\/\/127\.0\.0\.1:\d+\/hook$/,
      ),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^Webhook delivered successfully: [0-9a-f-]{36} \(HTTP 200\)$/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^Webhook delivery failed: [0-9a-f-]{36} \(HTTP 404\)$/),
    );
    const all = service().server.output.join('\n');
    expect(all).not.toContain('token=abc');
    expect(all).not.toContain('a-secret-of-some-length');
  });
}
