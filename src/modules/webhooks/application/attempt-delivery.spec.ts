import { createHmac } from 'node:crypto';

import { beforeEach, describe, expect, it } from '@jest/globals';

import { SecretText } from '../../../platform/kernel/secret-text.js';
import { WebhookSignature } from '../domain/signature.js';
import { HOLD_MS } from './attempt-delivery.js';
import { VaultSettingsSealing } from './settings-sealing.js';
import type { FakeAnswer } from '../testing/fake-http-sender.js';
import { InMemoryWebhooks } from '../testing/in-memory-webhooks.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';
import { DEFAULT_SETTINGS, type SubscriptionSettings } from '../domain/subscription-settings.js';
import type { Lane } from '../domain/lane.js';
import type { StoredDelivery } from '../testing/in-memory-store.js';

const PAYLOAD = '{"b":1,"a":"ñ"}';

describe('AttemptDelivery', () => {
  let webhooks: InMemoryWebhooks;
  let lane: Lane;
  let id: string;
  let healthy: boolean[];

  beforeEach(async () => {
    webhooks = new InMemoryWebhooks();
    healthy = [];
    lane = await webhooks.subscribe();
    [id = ''] = await webhooks.deliver(PAYLOAD);
  });

  const stored = (): StoredDelivery => webhooks.store.deliveries.get(id)!;
  /** Claims what is due and attempts it, as the drain does. */
  const attempt = async (): Promise<void> => {
    const { claims } = await webhooks.lanes.claim(lane, { limit: 1 });
    for (const claim of claims) {
      await webhooks.attempt.execute(claim, (isHealthy) => healthy.push(isHealthy) > 0);
    }
  };

  const set = (change: Partial<SubscriptionSettings>): void => {
    const subscription = webhooks.store.subscriptions.get(lane.subscriptionId)!;
    subscription.settings = { ...subscription.settings, ...change };
  };

  it('signs the exact bytes, with every header of the contract', async () => {
    await attempt();
    const [request] = webhooks.sender.requests;
    const seconds = String(Math.floor(webhooks.clock.nowMs() / 1_000));
    const hmac = (text: string): ReturnType<typeof createHmac> =>
      createHmac('sha256', 'a-good-secret').update(text);
    expect(request).toEqual({
      ...{ url: 'https://hooks.customer.com/in?token=t', body: PAYLOAD, timeoutMs: 10_000 },
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'GestiqCloud-Webhooks/1.0',
        'X-Event': 'thing.done',
        'X-Signature': `sha256=${hmac(PAYLOAD).digest('hex')}`,
        'X-Delivery-Id': id,
        'webhook-id': id,
        'webhook-timestamp': seconds,
        'webhook-signature': `v1,${hmac(`${id}.${seconds}.${PAYLOAD}`).digest('base64')}`,
      },
    });
  });

  it('signs with the previous secret and key pair as well while their overlap lasts', async () => {
    const of = { tenantId: lane.tenantId, subscriptionId: lane.subscriptionId };
    const sealing = new VaultSettingsSealing(webhooks.vault, of);
    const first = { ...DEFAULT_SETTINGS, ...sealing.signature({ scheme: 'v1a' }, DEFAULT_SETTINGS) };
    const second = sealing.withNewKey(first, true);
    set(second);
    const { claims } = await webhooks.lanes.claim(lane, { limit: 1 });
    const previous = webhooks.vault.seal(new SecretText('the-previous-secret'), {
      ...{ ...of, purpose: 'signing_previous' },
    });
    await webhooks.attempt.execute({ ...claims[0]!, sealedPreviousSecret: previous }, () => false);
    const headers = webhooks.sender.requests[0]?.headers ?? {};
    expect(headers['X-Signature']).toBe(WebhookSignature.sign('a-good-secret', PAYLOAD));
    expect(headers['X-Signature-Previous']).toBe(WebhookSignature.sign('the-previous-secret', PAYLOAD));
    expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+ v1a,\S+ v1a,\S+$/);
    const nowSeconds = Math.floor(webhooks.clock.nowMs() / 1_000);
    for (const secret of ['a-good-secret', 'the-previous-secret', first.publicKey!, second.publicKey!]) {
      expect(WebhookSignature.verifyStandard({ secret, headers, body: PAYLOAD, nowSeconds }).ok).toBe(true);
    }
  });

  it('stops signing with the previous key pair when the overlap is over', async () => {
    const sealing = new VaultSettingsSealing(webhooks.vault, {
      ...{ tenantId: lane.tenantId, subscriptionId: lane.subscriptionId },
    });
    const first = { ...DEFAULT_SETTINGS, ...sealing.signature({ scheme: 'v1a' }, DEFAULT_SETTINGS) };
    set(sealing.withNewKey(first, true));
    await attempt();
    expect(webhooks.sender.requests[0]?.headers['webhook-signature']).toMatch(/^v1,\S+ v1a,\S+$/);
    expect(webhooks.sender.requests[0]?.headers).not.toHaveProperty('X-Signature-Previous');
  });

  it('adds a token that says for whom, what and how long it is', async () => {
    set({ signature: { scheme: 'jwt', alg: 'HS256', ttlSeconds: 60 } });
    await attempt();
    const headers = webhooks.sender.requests[0]?.headers ?? {};
    const nowSeconds = Math.floor(webhooks.clock.nowMs() / 1_000);
    const input = {
      ...{ headers, body: PAYLOAD, alg: 'HS256' as const, secret: 'a-good-secret' },
      ...{ subscriptionId: lane.subscriptionId, audience: 'https://hooks.customer.com' },
    };
    const verified = { ok: true, id, event: 'thing.done', issuedAtSeconds: nowSeconds };
    expect(WebhookSignature.verifyJwt({ ...input, nowSeconds: nowSeconds + 120 })).toEqual(verified);
    expect(WebhookSignature.verifyJwt({ ...input, nowSeconds: nowSeconds + 121 }).ok).toBe(false);
    expect(headers['webhook-signature']).toMatch(/^v1,\S+$/);
  });

  it('sends the body in the form of its template, and signs that', async () => {
    set({ template: 'cloudevents' });
    await attempt();
    const { headers = {}, body = '' } = webhooks.sender.requests[0] ?? {};
    expect(JSON.parse(body)).toMatchObject({
      specversion: '1.0',
      type: 'thing.done',
      data: { a: 'ñ', b: 1 },
    });
    expect(body).toContain(`"data":${PAYLOAD}}`);
    expect(headers).toMatchObject({
      'Content-Type': 'application/cloudevents+json',
      'X-Signature': WebhookSignature.sign('a-good-secret', body),
    });
    const nowSeconds = Math.floor(webhooks.clock.nowMs() / 1_000);
    const verified = WebhookSignature.verifyStandard({ secret: 'a-good-secret', headers, body, nowSeconds });
    expect(verified.ok).toBe(true);
  });

  describe('with an expression as its template', () => {
    const reason = 'no such thing at 3';

    it('sends and signs what it makes', async () => {
      set({ template: { jsonata: '{"made": $}' } });
      await attempt();
      const { body = '', headers } = webhooks.sender.requests[0] ?? {};
      expect(body).toBe(`{"made":${PAYLOAD}}`);
      expect(headers).toMatchObject({ 'X-Signature': WebhookSignature.sign('a-good-secret', body) });
    });

    it('fails for good, sends nothing and says why when it cannot', async () => {
      set({ template: { jsonata: 'x' }, retrySchedule: 'standard' });
      webhooks.templates.next.push({ kind: 'failed', reason });
      await attempt();
      expect(webhooks.sender.requests).toEqual([]);
      expect(healthy).toEqual([true]);
      expect(stored()).toMatchObject({
        ...{ status: 'FAILED', attempts: 1, lastError: `Template error: ${reason}` },
        attemptLog: [{ errorClass: 'template_error', error: `Template error: ${reason}`, statusCode: null }],
      });
    });

    it('tries again after 1, 2 and 4 s what took too long, whatever the schedule', async () => {
      set({ template: { jsonata: 'x' }, retrySchedule: [] });
      for (const waitMs of [1_000, 2_000, 4_000]) {
        webhooks.templates.next.push({ kind: 'exhausted', reason: 'took longer than 250 ms' });
        await attempt();
        expect(stored().nextAttemptAt?.getTime()).toBe(webhooks.clock.nowMs() + waitMs);
        webhooks.clock.advance(waitMs);
      }
      webhooks.templates.next.push({ kind: 'exhausted', reason: 'took longer than 250 ms' });
      await attempt();
      expect(stored()).toMatchObject({ status: 'FAILED', attempts: 4 });
    });

    it('waits at no cost when there is no room', async () => {
      set({ template: { jsonata: 'x' } });
      webhooks.templates.next.push({ kind: 'busy' });
      await attempt();
      expect(stored()).toMatchObject({ status: 'PENDING', attempts: 0, attemptLog: [], lastError: null });
      webhooks.clock.advance(1_000);
      await attempt();
      expect(stored()).toMatchObject({ status: 'DELIVERED', attempts: 1 });
    });
  });

  // Red when an answer is kept as it came: receivers that show what they got send secrets back.
  it('keeps what was answered, without the secret headers that were sent back', async () => {
    const of = { tenantId: lane.tenantId, subscriptionId: lane.subscriptionId };
    set(
      new VaultSettingsSealing(webhooks.vault, of).headers(
        { Authorization: 'Bearer s3cret-of-acme' },
        DEFAULT_SETTINGS,
      ),
    );
    const headers = { server: 'x', 'x-got': 's3cret-of-acme', 'set-cookie': 'session=1' };
    webhooks.sender.queue({ status: 200, headers, body: 'you sent Bearer s3cret-of-acme' });
    await attempt();
    expect(stored().attemptLog).toMatchObject([
      {
        responseHeaders: { server: 'x', 'x-got': '***', 'set-cookie': '***' },
        responseBody: 'you sent ***',
      },
    ]);
    expect(stored().lastAttempt).toEqual({ durationMs: 1, statusCode: 200, errorClass: null });
  });

  it('adds the headers of the subscription, and keeps the secret ones out of the log', async () => {
    const of = { tenantId: lane.tenantId, subscriptionId: lane.subscriptionId };
    const wish = { 'X-Source': 'erp', Authorization: 'Bearer 1' };
    set(new VaultSettingsSealing(webhooks.vault, of).headers(wish, DEFAULT_SETTINGS));
    await attempt();
    expect(webhooks.sender.requests[0]?.headers).toMatchObject({ 'X-Event': 'thing.done', ...wish });
    expect(stored().attemptLog[0]?.requestHeaders).toMatchObject({
      ...{ 'X-Event': 'thing.done', 'X-Source': 'erp', Authorization: '***' },
    });
  });

  it('holds a delivery whose secret headers cannot be read, at no cost', async () => {
    set({ headers: [{ name: 'Authorization', value: null }], sealedHeaders: 'gone.with.a-key' });
    await attempt();
    expect(webhooks.sender.requests).toEqual([]);
    expect(stored()).toMatchObject({ status: 'PENDING', attempts: 0, hold: { reason: 'operator' } });
  });

  it.each<[FakeAnswer, string, string | null, number | null]>([
    [200, 'DELIVERED', null, null],
    [204, 'DELIVERED', null, null],
    [302, 'PENDING', 'HTTP 302', 1_000],
    [404, 'FAILED', 'HTTP 404', null],
    [410, 'FAILED', 'HTTP 410', null],
    [429, 'PENDING', 'HTTP 429', 1_000],
    [500, 'PENDING', 'HTTP 500', 1_000],
    [{ status: 503, headers: { 'retry-after': '30' } }, 'PENDING', 'HTTP 503', 30_000],
    ['hang', 'PENDING', 'Request timeout (10s)', 1_000],
    ['refuse', 'PENDING', 'Connection error: connection refused', 1_000],
  ])('after %j the delivery is %s (%s)', async (answer, status, lastError, waitMs) => {
    webhooks.sender.queue(answer);
    await attempt();
    const { nextAttemptAt } = stored();
    expect(stored()).toMatchObject({ status, lastError, attempts: 1 });
    const due = nextAttemptAt === null ? null : nextAttemptAt.getTime() - webhooks.clock.nowMs();
    expect(due).toBe(waitMs);
    expect(webhooks.store.subscriptions.get(lane.subscriptionId)?.active).toBe(answer !== 410);
  });

  it('ends a blocked target at once, without a request', async () => {
    webhooks.sender.block('https://hooks.customer.com/in?token=t', 'private');
    await attempt();
    expect(stored()).toMatchObject({ status: 'FAILED', lastError: 'Blocked target: private' });
    expect(webhooks.sender.requests).toEqual([]);
    expect(stored().attemptLog).toMatchObject([{ errorClass: 'blocked', statusCode: null }]);
  });

  it('makes four attempts after 1, 2 and 4 seconds, signs each anew, and gives up', async () => {
    webhooks.sender.queue(500, 500, 500, 500);
    const waits: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      await attempt();
      const { nextAttemptAt } = stored();
      if (nextAttemptAt === null) break;
      waits.push(nextAttemptAt.getTime() - webhooks.clock.nowMs());
      webhooks.clock.advance(waits.at(-1)!);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000]);
    expect(stored()).toMatchObject({ status: 'FAILED', attempts: 4, lastError: 'HTTP 500' });
    const headers = webhooks.sender.requests.map((request) => request.headers);
    expect(new Set(headers.map((one) => one['webhook-id'])).size).toBe(1);
    expect(new Set(headers.map((one) => one['webhook-timestamp'])).size).toBe(4);
    expect(new Set(headers.map((one) => one['webhook-signature'])).size).toBe(4);
    expect(webhooks.logger.messages('info').filter((line) => line.startsWith('Attempting'))).toEqual(
      [1, 2, 3, 4].map(
        (n) => `Attempting webhook delivery ${n}/4: thing.done to https://hooks.customer.com/in`,
      ),
    );
  });

  it.each<[RetrySchedule, readonly number[]]>([
    [[], []],
    [
      [10, 600],
      [10, 600],
    ],
    ['standard', [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]],
  ])(
    'tries again by the schedule of the subscription (%j), within a fifth, and no longer',
    async (schedule, seconds) => {
      set({ retrySchedule: schedule });
      webhooks.sender.queue(...Array.from({ length: seconds.length + 1 }, () => 500));
      for (const [at, wait] of seconds.entries()) {
        await attempt();
        const delayMs = stored().nextAttemptAt!.getTime() - webhooks.clock.nowMs();
        expect(delayMs).toBeGreaterThanOrEqual(wait * 800);
        expect(delayMs).toBeLessThanOrEqual(wait * 1_200);
        expect(webhooks.logger.messages('info').at(-1)).toContain(` ${at + 1}/${seconds.length + 1}: `);
        webhooks.clock.advance(delayMs);
      }
      await attempt();
      expect(stored()).toMatchObject({
        status: 'FAILED',
        attempts: seconds.length + 1,
        lastError: 'HTTP 500',
      });
    },
  );

  it('gives an attempt the time budget of its subscription, and the lease that follows from it', async () => {
    set({ timeoutSeconds: 30 });
    const { claims } = await webhooks.lanes.claim(lane, { limit: 1 });
    expect(stored().leasedUntilMs! - webhooks.clock.nowMs()).toBe(35_000);
    expect(webhooks.attempt.extraMsOf(claims[0]!)).toBe(20_000);
    webhooks.sender.queue('hang');
    await webhooks.attempt.execute(claims[0]!, () => true);
    expect(webhooks.sender.requests[0]?.timeoutMs).toBe(30_000);
    expect(stored()).toMatchObject({ status: 'PENDING', lastError: 'Request timeout (30s)' });
  });

  it('keeps the time of an attempt that waits when the schedule is changed, and fails past the end of the new one', async () => {
    set({ retrySchedule: [100, 200, 300] });
    webhooks.sender.queue(500, 500);
    await attempt();
    const due = stored().nextAttemptAt;
    set({ retrySchedule: [7] });
    expect(stored().nextAttemptAt).toEqual(due);
    webhooks.clock.advance(due!.getTime() - webhooks.clock.nowMs());
    await attempt();
    expect(stored()).toMatchObject({ status: 'FAILED', attempts: 2 });
  });

  it('logs the end in the words of the contract, never a query string or a payload', async () => {
    webhooks.sender.queue(404);
    await attempt();
    expect(webhooks.logger.messages('warn')).toEqual([`Webhook delivery failed: ${id} (HTTP 404)`]);
    [id = ''] = await webhooks.deliver(PAYLOAD);
    await attempt();
    expect(webhooks.logger.messages('info').at(-1)).toBe(`Webhook delivered successfully: ${id} (HTTP 200)`);
    expect(JSON.stringify(webhooks.logger.lines)).not.toMatch(/token=t|"b":1|a-good-secret|sha256=/);
  });

  it('counts an attempt with the reason of a retry only when one follows', async () => {
    webhooks.sender.queue(500);
    await attempt();
    webhooks.clock.advance(1_000);
    webhooks.sender.queue(404);
    await attempt();
    expect(webhooks.metrics.attempts).toMatchObject([
      { event: 'thing.done', statusCode: 500, reason: 'http_5xx', next: { status: 'PENDING' } },
      { event: 'thing.done', statusCode: 404, reason: null, next: { status: 'FAILED' } },
    ]);
  });

  it('holds a delivery whose secret cannot be read: no attempt, no word to the tenant, one to the operator', async () => {
    const subscription = webhooks.store.subscriptions.get(lane.subscriptionId)!;
    const { sealedSecret } = subscription;
    subscription.sealedSecret = 'sealed with a key that is gone';
    webhooks.sender.queue(200);
    for (let n = 0; n < 6; n += 1) {
      await attempt();
      expect(stored()).toMatchObject({ status: 'PENDING', attempts: 0, lastError: null, attemptLog: [] });
      expect(stored().hold).toEqual({ reason: 'operator', until: stored().nextAttemptAt });
      // Not due before that: a lane that is held does not spin.
      expect(stored().nextAttemptAt!.getTime() - webhooks.clock.nowMs()).toBe(HOLD_MS);
      webhooks.clock.advance(HOLD_MS);
    }
    expect(webhooks.sender.requests).toEqual([]);
    expect(webhooks.metrics.attempts).toEqual([]);
    expect(webhooks.logger.messages('error')).toEqual([
      'A signing secret cannot be read: the deliveries that need it are held',
    ]);
    subscription.sealedSecret = sealedSecret;
    await attempt();
    expect(stored()).toMatchObject({ status: 'DELIVERED', attempts: 1, hold: null });
  });

  // A place is free when the answer is in; what the endpoint can take follows from whether it coped.
  it.each<[FakeAnswer, boolean]>([
    [200, true],
    [404, true],
    [429, false],
    [503, false],
    ['hang', false],
  ])('tells at the answer (%p) whether the endpoint copes: %p', async (answer, isHealthy) => {
    webhooks.sender.queue(answer);
    await attempt();
    expect(healthy).toEqual([isHealthy]);
  });

  it('says that its lease was lost, and leaves the state to the newer one', async () => {
    const {
      claims: [claim],
    } = await webhooks.lanes.claim(lane, { limit: 1 });
    webhooks.clock.advance(60_000);
    await webhooks.lanes.sweep(3, 10);
    await webhooks.attempt.execute(claim!, () => true);
    expect(stored()).toMatchObject({ status: 'PENDING' });
    expect(webhooks.logger.messages('warn').at(-1)).toContain(`The lease of delivery ${id} ended`);
  });
});
