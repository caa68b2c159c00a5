import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';

import { WebhookSignature } from '../../../src/modules/webhooks/index.js';
import type { ApiAnswer, ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver, type ReceivedRequest } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

const OLD = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const NEW = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
const NEWEST = 'whsec_QmVpbmcgYSBrZXkgaXMgaGFyZCB3b3Jr';
const EVENT = 'rotation.test';

interface Subscription {
  readonly id: string;
  readonly secret: string;
  readonly generated_secret?: string;
  readonly secret_rotated_at: string | null;
  readonly previous_secret_expires_at: string | null;
}

/** What receivers can verify while a secret is rotated, and after. */
export function secretRotation(service: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;
  let path: string;
  let tests = 0;

  beforeEach(async () => {
    api = await service().clientOf(`rotation_${(tests += 1)}`);
    receiver = await Receiver.start();
    const { body } = await api.post<Subscription>('/subscriptions', {
      event: EVENT,
      url: `${receiver.url}/hook`,
      secret: OLD,
    });
    expect(body).toMatchObject({ secret_rotated_at: null, previous_secret_expires_at: null });
    path = `/subscriptions/${body.id}`;
  });
  afterEach(async () => {
    await receiver?.close();
  });

  const rotate = async (body?: object): Promise<Subscription> => {
    const answer: ApiAnswer<Subscription> = await api.post(`${path}/rotate-secret`, body);
    expect(answer.status).toBe(200);
    return answer.body;
  };

  const received = async (): Promise<ReceivedRequest> => {
    const count = receiver.requests.length;
    expect((await api.post('/deliveries', { event: EVENT, payload: { n: count } })).status).toBe(202);
    await receiver.waitForCount(count + 1);
    return receiver.requests[count]!;
  };

  /** Which of the secrets a receiver could verify the request with: by somebody else's library, and by both of ours. */
  const verifiedBy = (request: ReceivedRequest): object =>
    Object.fromEntries(
      Object.entries({ OLD, NEW, NEWEST }).map(([name, secret]) => [
        name,
        [
          isAccepted(() =>
            new Webhook(secret).verify(
              request.rawBody.toString('utf8'),
              request.headers as Record<string, string>,
            ),
          ),
          WebhookSignature.verifyStandard({ secret, headers: request.headers, body: request.rawBody }).ok,
          WebhookSignature.verifyRaw(secret, request.rawBody, request.headers['x-signature'] as string),
        ],
      ]),
    );
  const NOBODY = [false, false, false];
  const TRIO_ONLY = [true, true, false];
  const ALL = [true, true, true];

  it('signs with both during the overlap, X-Signature with the new one', async () => {
    expect(verifiedBy(await received())).toEqual({ OLD: ALL, NEW: NOBODY, NEWEST: NOBODY });
    const before = Date.now();
    const rotated = await rotate({ secret: NEW });
    expect(rotated).toMatchObject({ secret: '***' });
    expect(rotated).not.toHaveProperty('generated_secret');
    const expiresAt = Date.parse(rotated.previous_secret_expires_at!);
    expect(Math.abs(expiresAt - before - 24 * 3_600_000)).toBeLessThan(60_000);
    expect(expiresAt - Date.parse(rotated.secret_rotated_at!)).toBe(24 * 3_600_000);

    const request = await received();
    expect(request.headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
    const both = { OLD: TRIO_ONLY, NEW: ALL, NEWEST: NOBODY };
    expect(verifiedBy(request)).toEqual(both);

    // Red when a claim does not select the previous secret, or it is opened for the wrong purpose: of what is sent again, and
    // where a gate of the lane has a say.
    const id = String(request.headers['x-delivery-id']);
    await eventually(async () =>
      expect((await api.get(`/deliveries/${id}`)).body).toMatchObject({ status: 'DELIVERED' }),
    );
    expect((await api.post(`/deliveries/${id}/retry`, { force: true })).status).toBe(202);
    await receiver.waitForCount(3);
    expect(verifiedBy(receiver.requests[2]!)).toEqual(both);
    expect((await api.patch(path, { ordering: 'fifo' })).status).toBe(200);
    expect(verifiedBy(await received())).toEqual(both);
  });

  it('signs with the new one alone once the overlap is over', async () => {
    await rotate({ secret: NEW, overlap_hours: 2 / 3_600 });
    // Red when the end is not looked at in the claim.
    const request = await eventually(
      async () => {
        const latest = await received();
        expect(latest.headers['webhook-signature']).toMatch(/^v1,\S+$/);
        return latest;
      },
      { timeoutMs: 60_000, intervalMs: 300 },
    );
    expect(verifiedBy(request)).toEqual({ OLD: NOBODY, NEW: ALL, NEWEST: NOBODY });
  }, 180_000);

  it('stops the old one at once with an overlap of 0', async () => {
    expect(await rotate({ secret: NEW, overlap_hours: 0 })).toMatchObject({
      previous_secret_expires_at: null,
      secret_rotated_at: expect.any(String),
    });
    expect(verifiedBy(await received())).toEqual({ OLD: NOBODY, NEW: ALL, NEWEST: NOBODY });
  });

  it('keeps one previous secret: a second rotation lets the first go', async () => {
    await rotate({ secret: NEW });
    await rotate({ secret: NEWEST, overlap_hours: 168 });
    expect(verifiedBy(await received())).toEqual({ OLD: NOBODY, NEW: TRIO_ONLY, NEWEST: ALL });
  });

  it('lets PATCH replace the secret at once, also during an overlap', async () => {
    await rotate({ secret: NEW });
    const patched = await api.patch<Subscription>(path, { secret: NEWEST });
    expect(patched.body).toMatchObject({ previous_secret_expires_at: null });
    // Red when the previous secret outlives the replacement of one that leaked.
    expect(verifiedBy(await received())).toEqual({ OLD: NOBODY, NEW: NOBODY, NEWEST: ALL });
  });

  it('makes a secret when none is given, and shows it in that answer alone', async () => {
    const { generated_secret: made } = await rotate();
    expect(made).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const { text } = await api.get(path);
    expect(text).not.toContain(made);
    const request = await received();
    const check = WebhookSignature.verifyStandard({
      secret: made!,
      headers: request.headers,
      body: request.rawBody,
    });
    expect(check).toMatchObject({ ok: true });
  });

  it('refuses what is no overlap or no secret, and changes nothing', async () => {
    const problems = await Promise.all(
      [{ overlap_hours: -1 }, { overlap_hours: 168.1 }, { overlap_hours: '24' }, { overlap_hours: null }].map(
        async (body) => (await api.post(`${path}/rotate-secret`, body)).body,
      ),
    );
    const detail = [
      {
        type: 'value_error',
        loc: ['body', 'overlap_hours'],
        msg: 'Overlap must be a number of hours from 0 to 168',
      },
    ];
    expect(problems).toEqual(problems.map(() => ({ detail })));
    expect(await api.post(`${path}/rotate-secret`, { secret: 'short', overlap_hours: 200 })).toMatchObject({
      status: 400,
      body: { detail: [{ loc: ['body', 'secret'] }, { loc: ['body', 'overlap_hours'] }] },
    });
    expect(verifiedBy(await received())).toEqual({ OLD: ALL, NEW: NOBODY, NEWEST: NOBODY });
  });

  it('answers a foreign subscription as one that does not exist', async () => {
    const stranger = await service().clientOf('rotation_stranger');
    const foreign = await stranger.post(`${path}/rotate-secret`);
    expect(foreign).toMatchObject({ status: 404, body: { detail: 'subscription_not_found' } });
    expect(verifiedBy(await received())).toEqual({ OLD: ALL, NEW: NOBODY, NEWEST: NOBODY });
  });
}

function isAccepted(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
}
