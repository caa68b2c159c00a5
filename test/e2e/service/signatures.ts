import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { Webhook } from 'standardwebhooks';

import { WebhookSignature, type JwtAlgorithm } from '../../../src/modules/webhooks/domain/signature.js';
import type { ApiClient } from '../../support/api-client.js';
import { Receiver, type ReceivedRequest } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

interface Subscription {
  readonly id: string;
  readonly public_key: string | null;
  readonly generated_secret?: string;
}

const SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

/** What signs a request, and who can verify it with what. */
export function signatures(running: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;
  let jwks: JSONWebKeySet;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await running().clientOf('signatures');
    const answer = await fetch(`${running().server.url}/.well-known/webhooks/jwks.json`);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    jwks = (await answer.json()) as JSONWebKeySet;
  }, 60_000);

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (event: string, signature: object | undefined): Promise<Subscription> => {
    const url = `${receiver.url}/${event}`;
    const answer = await api.post<Subscription>('/subscriptions', { event, url, secret: SECRET, signature });
    expect(answer).toMatchObject({ status: 201, body: { signature: signature ?? { scheme: 'hmac' } } });
    return answer.body;
  };
  const received = async (event: string): Promise<ReceivedRequest> => {
    const count = receiver.requests.length;
    expect((await api.post('/deliveries', { event, payload: { n: 1.1 } })).status).toBe(202);
    await receiver.waitForCount(count + 1);
    return receiver.requests[count]!;
  };
  const fits = ({ headers, rawBody: body }: ReceivedRequest, secret: string): boolean =>
    WebhookSignature.verifyStandard({ secret, headers, body }).ok;

  it('publishes a key of each algorithm, without its private half', () => {
    expect(jwks.keys.map(({ alg, kty }) => `${alg} ${kty}`).sort()).toEqual(['ES256 EC', 'EdDSA OKP']);
    expect(JSON.stringify(jwks)).not.toMatch(/"d"|sealed/);
  });

  it('is a pair of keys of its own with v1a, and v1 beside it', async () => {
    const one = await subscribe('signed.one', { scheme: 'v1a' });
    const two = await subscribe('signed.two', { scheme: 'v1a' });
    expect(one.public_key).toMatch(/^whpk_/);
    expect(two.public_key).not.toBe(one.public_key);
    const request = await received('signed.one');
    expect([one.public_key!, SECRET, two.public_key!].map((secret) => fits(request, secret))).toEqual([
      ...[true, true, false],
    ]);
    // Others' libraries take it, and pass by what they do not know.
    new Webhook(SECRET).verify(request.rawBody.toString(), request.headers as Record<string, string>);
    const path = `/subscriptions/${one.id}`;
    expect(await api.patch(path, { description: 'x' })).toMatchObject({
      body: { public_key: one.public_key },
    });

    const rotated = await api.post<Subscription>(`${path}/rotate-secret`, { overlap_seconds: 3_600 });
    expect(rotated.status).toBe(200);
    const { public_key: key, generated_secret: secret = '' } = rotated.body;
    expect(key).not.toBe(one.public_key);
    const during = await received('signed.one');
    const both = [key!, one.public_key!, secret, SECRET];
    expect(both.map((each) => fits(during, each))).toEqual([true, true, true, true]);
    const { headers, rawBody } = during;
    expect(headers['x-signature']).toBe(WebhookSignature.sign(secret, rawBody));
    expect(headers['x-signature-previous']).toBe(WebhookSignature.sign(SECRET, rawBody));

    expect((await api.post(`${path}/rotate-secret`, { secret: SECRET, overlap_seconds: 0 })).status).toBe(
      200,
    );
    const after = await received('signed.one');
    expect(both.map((each) => fits(after, each))).toEqual([false, false, false, true]);
    expect(after.headers).not.toHaveProperty('x-signature-previous');

    expect(await api.patch(path, { signature: null })).toMatchObject({
      ...{ status: 200, body: { public_key: null, signature: { scheme: 'hmac' } } },
    });
    expect((await received('signed.one')).headers['webhook-signature']).toMatch(/^v1,\S+$/);
  }, 120_000);

  it.each<JwtAlgorithm>(['EdDSA', 'ES256', 'HS256'])(
    'is a token with jwt, by %s',
    async (alg) => {
      const event = `signed.${alg.toLowerCase()}`;
      const { id } = await subscribe(event, { scheme: 'jwt', alg, ttl_seconds: 60 });
      const { headers, rawBody: body } = await received(event);
      const result = WebhookSignature.verifyJwt({
        ...{ headers, body, alg, jwks, secret: SECRET },
        ...{ subscriptionId: id, audience: receiver.url, issuer: 'gestiqcloud-webhooks' },
      });
      expect(result).toMatchObject({ ok: true, id: headers['webhook-id'], event });
      const keys = alg === 'HS256' ? null : createLocalJWKSet(jwks);
      const jwt = String(headers['x-webhook-jwt']);
      const options = { algorithms: [alg], typ: 'webhook+jwt', subject: id, audience: receiver.url };
      const { payload } =
        keys === null
          ? await jwtVerify(jwt, Buffer.from(SECRET), options)
          : await jwtVerify(jwt, keys, options);
      expect(payload.exp! - payload.iat!).toBe(60);
      expect(payload).toMatchObject({ jti: headers['webhook-id'], event });
    },
    60_000,
  );

  // The row "rotate x in flight": what is under way keeps the signature that it was sent with.
  it('changes for the next attempt, not for the one that is under way', async () => {
    const { id } = await subscribe('signed.flight', undefined);
    receiver.behave((_request, index) => (index === started ? { status: 500, delayMs: 1_000 } : 200));
    const started = receiver.requests.length;
    const sent = api.post('/deliveries', { event: 'signed.flight', payload: {} });
    await receiver.waitForCount(started + 1);
    const secret = 'the-secret-after-the-rotation';
    await api.post(`/subscriptions/${id}/rotate-secret`, { secret, overlap_seconds: 0 });
    await sent;
    await receiver.waitForCount(started + 2);
    const [first, second] = receiver.requests.slice(started);
    expect([fits(first!, SECRET), fits(first!, secret)]).toEqual([true, false]);
    expect([fits(second!, SECRET), fits(second!, secret)]).toEqual([false, true]);
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
  }, 60_000);

  it('names every problem with its place', async () => {
    const answer = await api.post('/subscriptions', {
      ...{ event: 'signed.bad', url: receiver.url },
      signature: { scheme: 'rsa', ttl_seconds: 5, kid: 'x' },
    });
    expect(answer).toMatchObject({
      status: 400,
      body: {
        detail: [
          { loc: ['body', 'signature', 'scheme'], msg: 'signature.scheme must be one of hmac, v1a, jwt' },
          { loc: ['body', 'signature', 'ttl_seconds'] },
          { loc: ['body', 'signature', 'kid'], msg: 'Unknown field' },
        ],
      },
    });
  });
}
