import { beforeEach, describe, expect, it } from '@jest/globals';

import { HOLD_MS } from './attempt-delivery.js';
import { AttemptLab, ATTEMPTED_PAYLOAD } from '../testing/attempt-lab.js';
import type { FakeAnswer } from '../testing/fake-http-sender.js';
import type { InMemoryWebhooks } from '../testing/in-memory-webhooks.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';
import type { Lane } from '../domain/lane.js';

describe('AttemptDelivery', () => {
  let lab: AttemptLab;
  let webhooks: InMemoryWebhooks;
  let lane: Lane;
  let id: string;

  beforeEach(async () => {
    lab = await AttemptLab.open();
    ({ webhooks, lane, id } = lab);
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
    await lab.attempt();
    const { nextAttemptAt } = lab.stored;
    expect(lab.stored).toMatchObject({ status, lastError, attempts: 1 });
    const due = nextAttemptAt === null ? null : nextAttemptAt.getTime() - webhooks.clock.nowMs();
    expect(due).toBe(waitMs);
    expect(webhooks.store.subscriptions.get(lane.subscriptionId)?.active).toBe(answer !== 410);
  });

  it('ends a blocked target at once, without a request', async () => {
    webhooks.sender.block('https://hooks.customer.com/in?token=t', 'private');
    await lab.attempt();
    expect(lab.stored).toMatchObject({ status: 'FAILED', lastError: 'Blocked target: private' });
    expect(webhooks.sender.requests).toEqual([]);
    expect(lab.stored.attemptLog).toMatchObject([{ errorClass: 'blocked', statusCode: null }]);
  });

  it('makes four attempts after 1, 2 and 4 seconds, signs each anew, and gives up', async () => {
    webhooks.sender.queue(500, 500, 500, 500);
    const waits: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      await lab.attempt();
      const { nextAttemptAt } = lab.stored;
      if (nextAttemptAt === null) break;
      waits.push(nextAttemptAt.getTime() - webhooks.clock.nowMs());
      webhooks.clock.advance(waits.at(-1)!);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000]);
    expect(lab.stored).toMatchObject({ status: 'FAILED', attempts: 4, lastError: 'HTTP 500' });
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
      lab.set({ retrySchedule: schedule });
      webhooks.sender.queue(...Array.from({ length: seconds.length + 1 }, () => 500));
      for (const [at, wait] of seconds.entries()) {
        await lab.attempt();
        const delayMs = lab.stored.nextAttemptAt!.getTime() - webhooks.clock.nowMs();
        expect(delayMs).toBeGreaterThanOrEqual(wait * 800);
        expect(delayMs).toBeLessThanOrEqual(wait * 1_200);
        expect(webhooks.logger.messages('info').at(-1)).toContain(` ${at + 1}/${seconds.length + 1}: `);
        webhooks.clock.advance(delayMs);
      }
      await lab.attempt();
      expect(lab.stored).toMatchObject({
        status: 'FAILED',
        attempts: seconds.length + 1,
        lastError: 'HTTP 500',
      });
    },
  );

  it('gives an attempt the time budget of its subscription, and the lease that follows from it', async () => {
    lab.set({ timeoutSeconds: 30 });
    const { claims } = await webhooks.lanes.claim(lane, { limit: 1 });
    expect(lab.stored.leasedUntilMs! - webhooks.clock.nowMs()).toBe(35_000);
    expect(webhooks.attempt.extraMsOf(claims[0]!)).toBe(20_000);
    webhooks.sender.queue('hang');
    await webhooks.attempt.execute(claims[0]!, () => true);
    expect(webhooks.sender.requests[0]?.timeoutMs).toBe(30_000);
    expect(lab.stored).toMatchObject({ status: 'PENDING', lastError: 'Request timeout (30s)' });
  });

  it('keeps the time of an attempt that waits when the schedule is changed, and fails past the end of the new one', async () => {
    lab.set({ retrySchedule: [100, 200, 300] });
    webhooks.sender.queue(500, 500);
    await lab.attempt();
    const due = lab.stored.nextAttemptAt;
    lab.set({ retrySchedule: [7] });
    expect(lab.stored.nextAttemptAt).toEqual(due);
    webhooks.clock.advance(due!.getTime() - webhooks.clock.nowMs());
    await lab.attempt();
    expect(lab.stored).toMatchObject({ status: 'FAILED', attempts: 2 });
  });

  it('logs the end in the words of the contract, never a query string or a payload', async () => {
    webhooks.sender.queue(404);
    await lab.attempt();
    expect(webhooks.logger.messages('warn')).toEqual([`Webhook delivery failed: ${id} (HTTP 404)`]);
    const [next] = await webhooks.deliver(ATTEMPTED_PAYLOAD);
    await lab.attempt();
    expect(webhooks.logger.messages('info').at(-1)).toBe(
      `Webhook delivered successfully: ${next} (HTTP 200)`,
    );
    expect(JSON.stringify(webhooks.logger.lines)).not.toMatch(/token=t|"b":1|a-good-secret|sha256=/);
  });

  it('counts an attempt with the reason of a retry only when one follows', async () => {
    webhooks.sender.queue(500);
    await lab.attempt();
    webhooks.clock.advance(1_000);
    webhooks.sender.queue(404);
    await lab.attempt();
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
      await lab.attempt();
      expect(lab.stored).toMatchObject({ status: 'PENDING', attempts: 0, lastError: null, attemptLog: [] });
      expect(lab.stored.hold).toEqual({ reason: 'operator', until: lab.stored.nextAttemptAt });
      // Not due before that: a lane that is held does not spin.
      expect(lab.stored.nextAttemptAt!.getTime() - webhooks.clock.nowMs()).toBe(HOLD_MS);
      webhooks.clock.advance(HOLD_MS);
    }
    expect(webhooks.sender.requests).toEqual([]);
    expect(webhooks.metrics.attempts).toEqual([]);
    expect(webhooks.logger.messages('error')).toEqual([
      'A signing secret cannot be read: the deliveries that need it are held',
    ]);
    subscription.sealedSecret = sealedSecret;
    await lab.attempt();
    expect(lab.stored).toMatchObject({ status: 'DELIVERED', attempts: 1, hold: null });
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
    await lab.attempt();
    expect(lab.healthy).toEqual([isHealthy]);
  });

  it('says that its lease was lost, and leaves the state to the newer one', async () => {
    const {
      claims: [claim],
    } = await webhooks.lanes.claim(lane, { limit: 1 });
    webhooks.clock.advance(60_000);
    await webhooks.lanes.sweep(3, 10);
    await webhooks.attempt.execute(claim!, () => true);
    expect(lab.stored).toMatchObject({ status: 'PENDING' });
    expect(webhooks.logger.messages('warn').at(-1)).toContain(`The lease of delivery ${id} ended`);
  });
});
