import { createHmac } from 'node:crypto';

import { beforeEach, describe, expect, it } from '@jest/globals';

import { SecretText } from '../../../platform/kernel/secret-text.js';
import { WebhookSignature } from '../domain/signature.js';
import { VaultSettingsSealing } from './settings-sealing.js';
import { AttemptLab, ATTEMPTED_PAYLOAD } from '../testing/attempt-lab.js';
import type { InMemoryWebhooks } from '../testing/in-memory-webhooks.js';
import { DEFAULT_SETTINGS } from '../domain/subscription-settings.js';
import type { Lane } from '../domain/lane.js';

describe('the request of an attempt', () => {
  let lab: AttemptLab;
  let webhooks: InMemoryWebhooks;
  let lane: Lane;
  let id: string;

  beforeEach(async () => {
    lab = await AttemptLab.open();
    ({ webhooks, lane, id } = lab);
  });

  it('signs the exact bytes, with every header of the contract', async () => {
    await lab.attempt();
    const [request] = webhooks.sender.requests;
    const seconds = String(Math.floor(webhooks.clock.nowMs() / 1_000));
    const hmac = (text: string): ReturnType<typeof createHmac> =>
      createHmac('sha256', 'a-good-secret').update(text);
    expect(request).toEqual({
      ...{ url: 'https://hooks.customer.com/in?token=t', body: ATTEMPTED_PAYLOAD, timeoutMs: 10_000 },
      mayWrite: expect.any(Function),
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'GestiqCloud-Webhooks/1.0',
        'X-Event': 'thing.done',
        'X-Signature': `sha256=${hmac(ATTEMPTED_PAYLOAD).digest('hex')}`,
        'X-Delivery-Id': id,
        'webhook-id': id,
        'webhook-timestamp': seconds,
        'webhook-signature': `v1,${hmac(`${id}.${seconds}.${ATTEMPTED_PAYLOAD}`).digest('base64')}`,
      },
    });
  });

  it('signs with the previous secret and key pair as well while their overlap lasts', async () => {
    const of = { tenantId: lane.tenantId, subscriptionId: lane.subscriptionId };
    const sealing = new VaultSettingsSealing(webhooks.vault, of);
    const first = { ...DEFAULT_SETTINGS, ...sealing.signature({ scheme: 'v1a' }, DEFAULT_SETTINGS) };
    const second = sealing.withNewKey(first, true);
    lab.set(second);
    const { claims } = await webhooks.lanes.claim(lane, { limit: 1 });
    const previous = webhooks.vault.seal(new SecretText('the-previous-secret'), {
      ...{ ...of, purpose: 'signing_previous' },
    });
    await webhooks.attempt.execute({ ...claims[0]!, sealedPreviousSecret: previous }, () => false);
    const headers = webhooks.sender.requests[0]?.headers ?? {};
    expect(headers['X-Signature']).toBe(WebhookSignature.sign('a-good-secret', ATTEMPTED_PAYLOAD));
    expect(headers['X-Signature-Previous']).toBe(
      WebhookSignature.sign('the-previous-secret', ATTEMPTED_PAYLOAD),
    );
    expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+ v1a,\S+ v1a,\S+$/);
    const nowSeconds = Math.floor(webhooks.clock.nowMs() / 1_000);
    for (const secret of ['a-good-secret', 'the-previous-secret', first.publicKey!, second.publicKey!]) {
      expect(
        WebhookSignature.verifyStandard({ secret, headers, body: ATTEMPTED_PAYLOAD, nowSeconds }).ok,
      ).toBe(true);
    }
  });

  it('stops signing with the previous key pair when the overlap is over', async () => {
    const sealing = new VaultSettingsSealing(webhooks.vault, {
      ...{ tenantId: lane.tenantId, subscriptionId: lane.subscriptionId },
    });
    const first = { ...DEFAULT_SETTINGS, ...sealing.signature({ scheme: 'v1a' }, DEFAULT_SETTINGS) };
    lab.set(sealing.withNewKey(first, true));
    await lab.attempt();
    expect(webhooks.sender.requests[0]?.headers['webhook-signature']).toMatch(/^v1,\S+ v1a,\S+$/);
    expect(webhooks.sender.requests[0]?.headers).not.toHaveProperty('X-Signature-Previous');
  });

  it('adds a token that says for whom, what and how long it is', async () => {
    lab.set({ signature: { scheme: 'jwt', alg: 'HS256', ttlSeconds: 60 } });
    await lab.attempt();
    const headers = webhooks.sender.requests[0]?.headers ?? {};
    const nowSeconds = Math.floor(webhooks.clock.nowMs() / 1_000);
    const input = {
      ...{ headers, body: ATTEMPTED_PAYLOAD, alg: 'HS256' as const, secret: 'a-good-secret' },
      ...{ subscriptionId: lane.subscriptionId, audience: 'https://hooks.customer.com' },
    };
    const verified = { ok: true, id, event: 'thing.done', issuedAtSeconds: nowSeconds };
    expect(WebhookSignature.verifyJwt({ ...input, nowSeconds: nowSeconds + 120 })).toEqual(verified);
    expect(WebhookSignature.verifyJwt({ ...input, nowSeconds: nowSeconds + 121 }).ok).toBe(false);
    expect(headers['webhook-signature']).toMatch(/^v1,\S+$/);
  });

  it('sends the body in the form of its template, and signs that', async () => {
    lab.set({ template: 'cloudevents' });
    await lab.attempt();
    const { headers = {}, body = '' } = webhooks.sender.requests[0] ?? {};
    expect(JSON.parse(body)).toMatchObject({
      specversion: '1.0',
      type: 'thing.done',
      data: { a: 'ñ', b: 1 },
    });
    expect(body).toContain(`"data":${ATTEMPTED_PAYLOAD}}`);
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
      lab.set({ template: { jsonata: '{"made": $}' } });
      await lab.attempt();
      const { body = '', headers } = webhooks.sender.requests[0] ?? {};
      expect(body).toBe(`{"made":${ATTEMPTED_PAYLOAD}}`);
      expect(headers).toMatchObject({ 'X-Signature': WebhookSignature.sign('a-good-secret', body) });
    });

    it('fails for good, sends nothing and says why when it cannot', async () => {
      lab.set({ template: { jsonata: 'x' }, retrySchedule: 'standard' });
      webhooks.templates.next.push({ kind: 'failed', reason });
      await lab.attempt();
      expect(webhooks.sender.requests).toEqual([]);
      expect(lab.healthy).toEqual([true]);
      expect(lab.stored).toMatchObject({
        ...{ status: 'FAILED', attempts: 1, lastError: `Template error: ${reason}` },
        attemptLog: [{ errorClass: 'template_error', error: `Template error: ${reason}`, statusCode: null }],
      });
    });

    it('tries again after 1, 2 and 4 s what took too long, whatever the schedule', async () => {
      lab.set({ template: { jsonata: 'x' }, retrySchedule: [] });
      for (const waitMs of [1_000, 2_000, 4_000]) {
        webhooks.templates.next.push({ kind: 'exhausted', reason: 'took longer than 250 ms' });
        await lab.attempt();
        expect(lab.stored.nextAttemptAt?.getTime()).toBe(webhooks.clock.nowMs() + waitMs);
        webhooks.clock.advance(waitMs);
      }
      webhooks.templates.next.push({ kind: 'exhausted', reason: 'took longer than 250 ms' });
      await lab.attempt();
      expect(lab.stored).toMatchObject({ status: 'FAILED', attempts: 4 });
    });

    it('waits at no cost when there is no room', async () => {
      lab.set({ template: { jsonata: 'x' } });
      webhooks.templates.next.push({ kind: 'busy' });
      await lab.attempt();
      expect(lab.stored).toMatchObject({ status: 'PENDING', attempts: 0, attemptLog: [], lastError: null });
      webhooks.clock.advance(1_000);
      await lab.attempt();
      expect(lab.stored).toMatchObject({ status: 'DELIVERED', attempts: 1 });
    });
  });

  // Red when an answer is kept as it came: receivers that show what they got send secrets back.
  it('keeps what was answered, without the secret headers that were sent back', async () => {
    const of = { tenantId: lane.tenantId, subscriptionId: lane.subscriptionId };
    lab.set(
      new VaultSettingsSealing(webhooks.vault, of).headers(
        { Authorization: 'Bearer s3cret-of-acme' },
        DEFAULT_SETTINGS,
      ),
    );
    const headers = { server: 'x', 'x-got': 's3cret-of-acme', 'set-cookie': 'session=1' };
    webhooks.sender.queue({ status: 200, headers, body: 'you sent Bearer s3cret-of-acme' });
    await lab.attempt();
    expect(lab.stored.attemptLog).toMatchObject([
      {
        responseHeaders: { server: 'x', 'x-got': '***', 'set-cookie': '***' },
        responseBody: 'you sent ***',
      },
    ]);
    expect(lab.stored.lastAttempt).toEqual({ durationMs: 1, statusCode: 200, errorClass: null });
  });

  it('adds the headers of the subscription, and keeps the secret ones out of the log', async () => {
    const of = { tenantId: lane.tenantId, subscriptionId: lane.subscriptionId };
    const wish = { 'X-Source': 'erp', Authorization: 'Bearer 1' };
    lab.set(new VaultSettingsSealing(webhooks.vault, of).headers(wish, DEFAULT_SETTINGS));
    await lab.attempt();
    expect(webhooks.sender.requests[0]?.headers).toMatchObject({ 'X-Event': 'thing.done', ...wish });
    expect(lab.stored.attemptLog[0]?.requestHeaders).toMatchObject({
      ...{ 'X-Event': 'thing.done', 'X-Source': 'erp', Authorization: '***' },
    });
  });

  it('holds a delivery whose secret headers cannot be read, at no cost', async () => {
    lab.set({ headers: [{ name: 'Authorization', value: null }], sealedHeaders: 'gone.with.a-key' });
    await lab.attempt();
    expect(webhooks.sender.requests).toEqual([]);
    expect(lab.stored).toMatchObject({ status: 'PENDING', attempts: 0, hold: { reason: 'operator' } });
  });
});
