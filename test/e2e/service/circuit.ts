import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

/** An endpoint that fails is left alone, and gets everything when it is well again. */
export function circuits(service: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await service().clientOf('circuits');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  const subscribe = async (event: string, path = event): Promise<string> => {
    const url = `${receiver.url}/${path}`;
    const wish = { event, url, retry_schedule: [], circuit: { failures: 3 } };
    const made = await api.post<{ id: string }>('/subscriptions', wish);
    expect(made).toMatchObject({
      status: 201,
      body: { circuit: { failures: 3, percent: 70, min_attempts: 20, state: 'closed', cause: null } },
    });
    return made.body.id;
  };

  const emit = async (event: string): Promise<string> => {
    const made = await api.post<{ delivery_ids: string[] }>('/deliveries', { event, payload: {} });
    expect(made.status).toBe(202);
    return made.body.delivery_ids[0]!;
  };

  const shows = async (path: string, expected: object): Promise<void> => {
    await eventually(async () => expect((await api.get(path)).body).toMatchObject(expected), {
      ...{ timeoutMs: 60_000, intervalMs: 50 },
    });
  };

  const requestsTo = (event: string): number =>
    receiver.requests.filter(({ url }) => url === `/${event}`).length;

  /** Three that fail, each of them ended before the next begins. @returns the subscription, and the last of them */
  const open = async (event: string): Promise<{ readonly id: string; readonly failed: string }> => {
    const id = await subscribe(event);
    receiver.behave(({ url }) => (url === `/${event}` ? 500 : 200));
    let failed = '';
    for (let n = 0; n < 3; n += 1) {
      failed = await emit(event);
      await shows(`/deliveries/${failed}`, { status: 'FAILED' });
    }
    await shows(`/subscriptions/${id}`, {
      active: true,
      circuit: {
        ...{
          state: 'open',
          cause: '3 failed attempts in a row; the last: HTTP 500',
          consecutive_failures: 3,
        },
        ...{ opened_at: expect.any(String), next_probe_at: expect.any(String) },
      },
    });
    return { id, failed };
  };

  // Red when a claim does not ask the circuit, or a settlement does not tell it; inline, when a request waits for what is held.
  it('sends nothing to it, holds what comes, and lets it all go with a probe that arrives', async () => {
    const { id, failed } = await open('circuit.probed');
    const begunAt = Date.now();
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await emit('circuit.probed'));
    expect(Date.now() - begunAt).toBeLessThan(10_000);
    const held = { status: 'PENDING', attempts: 0, last_error: null, held_reason: 'circuit_open' };
    for (const one of ids) await shows(`/deliveries/${one}`, { ...held, held_until: expect.any(String) });
    expect(requestsTo('circuit.probed')).toBe(3);

    // By hand, a delivery is the probe; it fails as it would without a circuit.
    const retry = `/deliveries/${failed}/retry`;
    expect((await api.post(retry)).status).toBe(202);
    await shows(`/deliveries/${failed}`, { status: 'FAILED', attempts: 2 });
    await shows(`/subscriptions/${id}`, { circuit: { state: 'open', consecutive_failures: 4 } });
    expect(requestsTo('circuit.probed')).toBe(4);

    receiver.behave(200);
    expect((await api.post(retry)).status).toBe(202);
    for (const one of ids) {
      await shows(`/deliveries/${one}`, { status: 'DELIVERED', attempts: 1, held_reason: null });
    }
    await shows(`/deliveries/${failed}`, {
      status: 'DELIVERED',
      attempt_log: [
        { trigger: 'auto', probe: false, status_code: 500 },
        { trigger: 'manual', probe: true, status_code: 500 },
        { trigger: 'manual', probe: true, status_code: 200 },
      ],
    });
    await shows(`/subscriptions/${id}`, {
      circuit: { state: 'closed', cause: null, next_probe_at: null, consecutive_failures: 0 },
    });
    expect(requestsTo('circuit.probed')).toBe(10);
  }, 120_000);

  it('probes at once when its secret is replaced, and goes on when it is reset or has another URL', async () => {
    const { id } = await open('circuit.mended');
    const first = await emit('circuit.mended');
    expect((await api.patch(`/subscriptions/${id}`, { secret: 'another-secret' })).status).toBe(200);
    // Not charged to a schedule without a single retry.
    await shows(`/deliveries/${first}`, {
      ...{ status: 'PENDING', attempts: 1, last_error: 'HTTP 500', held_reason: 'circuit_open' },
      attempt_log: [{ trigger: 'auto', probe: true }],
    });
    receiver.behave(200);
    expect(await api.post(`/subscriptions/${id}/reset-circuit`)).toMatchObject({
      status: 200,
      body: { circuit: { state: 'closed', consecutive_failures: 0 } },
    });
    await shows(`/deliveries/${first}`, { status: 'DELIVERED', attempts: 2 });
    const audit = await api.get(`/audit?resource_id=${id}&action=subscription.circuit_reset`);
    expect(audit.body).toMatchObject([{ actor_type: 'token', details: { state_before: 'open' } }]);

    const { id: moved } = await open('circuit.moved');
    const second = await emit('circuit.moved');
    const url = `${receiver.url}/circuit.moved/again`;
    expect((await api.patch(`/subscriptions/${moved}`, { url })).body).toMatchObject({
      circuit: { state: 'closed' },
    });
    await shows(`/deliveries/${second}`, { status: 'DELIVERED', target_url: url });
    receiver.behave(200);
  }, 120_000);

  // Red when a failure more or less opens it, when a success is forgotten, or when what has one URL has one circuit.
  it('opens at so many in a row and not before, anew after a success, for one of two subscriptions with a URL', async () => {
    const event = 'circuit.exact';
    const [id, other] = [await subscribe(event), await subscribe('circuit.beside', event)];
    let status = 500;
    receiver.behave(({ headers }) => (headers['x-event'] === event ? status : 200));
    const ends = async (of: string, as: string): Promise<void> =>
      shows(`/deliveries/${await emit(of)}`, { status: as });
    const circuit = (state: string, failures: number): object => ({
      circuit: { state, consecutive_failures: failures },
    });
    for (let n = 0; n < 2; n += 1) await ends(event, 'FAILED');
    await shows(`/subscriptions/${id}`, circuit('closed', 2));
    status = 200;
    await ends(event, 'DELIVERED');
    await shows(`/subscriptions/${id}`, circuit('closed', 0));
    status = 500;
    for (let n = 0; n < 2; n += 1) await ends(event, 'FAILED');
    await shows(`/subscriptions/${id}`, circuit('closed', 2));
    await ends(event, 'FAILED');
    await shows(`/subscriptions/${id}`, circuit('open', 3));
    await shows(`/deliveries/${await emit(event)}`, { status: 'PENDING', held_reason: 'circuit_open' });
    await ends('circuit.beside', 'DELIVERED');
    await shows(`/subscriptions/${other}`, circuit('closed', 0));
    receiver.behave(200);
  }, 60_000);
}
