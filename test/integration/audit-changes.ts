import { expect } from '@jest/globals';

import type { ApiAnswer, ApiClient } from '../support/api-client.js';

const UNKNOWN_ID = '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50';
export const URL_OF_TARGET = 'https://hooks.customer.com/in';
const SECRET = 'canary-secret-of-the-audit';
const SINCE = '2026-01-01T00:00:00.000Z';

/** One mutating operation: made to succeed, and made to be refused. */
export interface Change {
  readonly action: string;
  readonly type: string;
  readonly make: () => Promise<{
    readonly answer: ApiAnswer<unknown>;
    readonly resource: string;
    readonly details: object;
  }>;
  /** Prepares, and gives requests that must be refused. */
  readonly refusals: () => Promise<readonly (() => Promise<ApiAnswer<unknown>>)[]>;
}

export interface AuditLab {
  /** The client of the tenant of the running test. */
  readonly api: ApiClient;
  /** Makes the target of a subscription one that is refused when it is dialled: nothing leaves the machine. */
  block(subscriptionId: string): Promise<unknown>;
  /** Makes a delivery FAILED. */
  fail(deliveryId: string): Promise<unknown>;
}

/** Subscribes with a secret and a token in the query, neither of which may come into the trail. */
export async function subscribe(api: ApiClient, event = 'audit.made'): Promise<string> {
  const url = `${URL_OF_TARGET}?token=canary-token`;
  const { body, status } = await api.post<{ id: string }>('/subscriptions', { event, url, secret: SECRET });
  expect(status).toBe(201);
  return body.id;
}

async function deliver(
  api: ApiClient,
  event = 'audit.made',
): Promise<{ event_id: string; delivery_ids: string[] }> {
  const payload = { canary: SECRET };
  return (await api.post<{ event_id: string; delivery_ids: string[] }>('/deliveries', { event, payload }))
    .body;
}

/** Every mutating operation of webhooks, by its operationId; a test compares them with the OpenAPI document. */
export function auditedChanges(lab: AuditLab): Readonly<Record<string, Change>> {
  return {
    createSubscription: {
      action: 'subscription.created',
      type: 'subscription',
      make: async () => {
        const answer = await lab.api.post<{ id: string }>('/subscriptions', {
          event: 'Audit.Made',
          url: `${URL_OF_TARGET}?token=canary-token`,
          secret: SECRET,
        });
        return {
          answer,
          resource: answer.body.id,
          details: { event: 'audit.made', url: `${URL_OF_TARGET}?…` },
        };
      },
      refusals: async () => {
        await subscribe(lab.api, 'audit.twice');
        const url = `${URL_OF_TARGET}?token=canary-token`;
        return [
          () => lab.api.post('/subscriptions', { event: 'audit.twice', url }),
          () => lab.api.post('/subscriptions', { event: 'audit.x', url: 'http://hooks.customer.com/' }),
        ];
      },
    },
    updateSubscription: {
      action: 'subscription.updated',
      type: 'subscription',
      make: async () => {
        const id = await subscribe(lab.api);
        const answer = await lab.api.patch(`/subscriptions/${id}`, {
          url: `${URL_OF_TARGET}/2?token=canary-token`,
          secret: `${SECRET}-2`,
          active: false,
        });
        return {
          answer,
          resource: id,
          details: { url: `${URL_OF_TARGET}/2?…`, active: false, secret_replaced: true },
        };
      },
      refusals: async () => {
        const id = await subscribe(lab.api, 'audit.one');
        await subscribe(lab.api, 'audit.two');
        return [
          () => lab.api.patch(`/subscriptions/${id}`, { event: 'audit.two' }),
          () => lab.api.patch(`/subscriptions/${id}`, { secret: 'short' }),
          () => lab.api.patch(`/subscriptions/${UNKNOWN_ID}`, { active: false }),
        ];
      },
    },
    deleteSubscription: {
      action: 'subscription.deactivated',
      type: 'subscription',
      make: async () => {
        const id = await subscribe(lab.api);
        return {
          answer: await lab.api.delete(`/subscriptions/${id}`),
          resource: id,
          details: { reason: 'Deleted by the tenant' },
        };
      },
      refusals: async () => {
        const id = await subscribe(lab.api, 'audit.gone');
        await lab.api.delete(`/subscriptions/${id}`);
        return [
          () => lab.api.delete(`/subscriptions/${id}`),
          () => lab.api.delete(`/subscriptions/${UNKNOWN_ID}`),
        ];
      },
    },
    rotateSecret: {
      action: 'subscription.secret_rotated',
      type: 'subscription',
      make: async () => {
        const id = await subscribe(lab.api);
        const answer = await lab.api.post(`/subscriptions/${id}/rotate-secret`, { secret: `${SECRET}-3` });
        return { answer, resource: id, details: { overlap_hours: 24, generated: false } };
      },
      refusals: async () => {
        const id = await subscribe(lab.api, 'audit.three');
        return [
          () => lab.api.post(`/subscriptions/${UNKNOWN_ID}/rotate-secret`),
          () => lab.api.post(`/subscriptions/${id}/rotate-secret`, { overlap_hours: 169 }),
        ];
      },
    },
    pauseSubscription: {
      action: 'subscription.paused',
      type: 'subscription',
      make: async () => {
        const id = await subscribe(lab.api);
        const answer = await lab.api.post(`/subscriptions/${id}/pause`);
        return { answer, resource: id, details: {} };
      },
      refusals: async () => {
        const id = await subscribe(lab.api, 'audit.paused');
        await lab.api.delete(`/subscriptions/${id}`);
        return [
          () => lab.api.post(`/subscriptions/${UNKNOWN_ID}/pause`),
          () => lab.api.post(`/subscriptions/${id}/pause`),
        ];
      },
    },
    resumeSubscription: {
      action: 'subscription.resumed',
      type: 'subscription',
      make: async () => {
        const id = await subscribe(lab.api);
        await lab.api.post(`/subscriptions/${id}/pause`);
        const answer = await lab.api.post(`/subscriptions/${id}/resume`);
        return { answer, resource: id, details: {} };
      },
      refusals: async () => {
        const id = await subscribe(lab.api, 'audit.resumed');
        await lab.api.delete(`/subscriptions/${id}`);
        return [
          () => lab.api.post(`/subscriptions/${UNKNOWN_ID}/resume`),
          () => lab.api.post(`/subscriptions/${id}/resume`),
        ];
      },
    },
    resetCircuit: {
      action: 'subscription.circuit_reset',
      type: 'subscription',
      make: async () => {
        const id = await subscribe(lab.api);
        const answer = await lab.api.post(`/subscriptions/${id}/reset-circuit`);
        return { answer, resource: id, details: { state_before: 'closed' } };
      },
      refusals: async () => {
        const id = await subscribe(lab.api, 'audit.reset');
        await lab.api.delete(`/subscriptions/${id}`);
        return [
          () => lab.api.post(`/subscriptions/${UNKNOWN_ID}/reset-circuit`),
          () => lab.api.post(`/subscriptions/${id}/reset-circuit`),
        ];
      },
    },
    testSubscription: {
      action: 'subscription.tested',
      type: 'subscription',
      make: async () => {
        const id = await subscribe(lab.api, 'invoice.paid');
        await lab.block(id);
        const answer = await lab.api.post(`/subscriptions/${id}/test`);
        return { answer, resource: id, details: { event: 'invoice.paid' } };
      },
      refusals: async () => {
        const id = await subscribe(lab.api, 'audit.tested');
        await lab.api.delete(`/subscriptions/${id}`);
        return [
          () => lab.api.post(`/subscriptions/${UNKNOWN_ID}/test`),
          () => lab.api.post(`/subscriptions/${id}/test`),
        ];
      },
    },
    requestDelivery: {
      action: 'delivery.requested',
      type: 'event',
      make: async () => {
        await subscribe(lab.api);
        const answer = await lab.api.post<{ event_id: string }>('/deliveries', {
          event: 'audit.made',
          payload: { canary: SECRET },
        });
        return {
          answer,
          resource: answer.body.event_id,
          details: { event: 'audit.made', deliveries: 1 },
        };
      },
      refusals: async () => {
        await subscribe(lab.api, 'audit.once');
        const headers = { 'idempotency-key': 'once' };
        const post = (n: number): Promise<ApiAnswer<unknown>> =>
          lab.api.post('/deliveries', { event: 'audit.once', payload: { n } }, { headers });
        expect((await post(1)).status).toBe(202);
        return [() => lab.api.post('/deliveries', { event: 'audit.nobody', payload: {} }), () => post(2)];
      },
    },
    retryDelivery: {
      action: 'delivery.retried',
      type: 'delivery',
      make: async () => {
        await subscribe(lab.api);
        const id = (await deliver(lab.api)).delivery_ids[0]!;
        await lab.fail(id);
        return {
          answer: await lab.api.post(`/deliveries/${id}/retry`),
          resource: id,
          details: { event: 'audit.made', status_before: 'FAILED', forced: false },
        };
      },
      refusals: async () => {
        await subscribe(lab.api, 'audit.four');
        const id = (await deliver(lab.api, 'audit.four')).delivery_ids[0]!;
        return [
          () => lab.api.post(`/deliveries/${id}/retry`),
          () => lab.api.post(`/deliveries/${UNKNOWN_ID}/retry`),
        ];
      },
    },
    cancelDelivery: {
      action: 'delivery.cancelled',
      type: 'delivery',
      make: async () => {
        await subscribe(lab.api);
        const resource = (await deliver(lab.api)).delivery_ids[0]!;
        const answer = await lab.api.post(`/deliveries/${resource}/cancel`);
        return { answer, resource, details: { event: 'audit.made', attempts: 0 } };
      },
      refusals: async () => {
        await subscribe(lab.api, 'audit.ended');
        const id = (await deliver(lab.api, 'audit.ended')).delivery_ids[0]!;
        await lab.fail(id);
        return [
          () => lab.api.post(`/deliveries/${id}/cancel`),
          () => lab.api.post(`/deliveries/${UNKNOWN_ID}/cancel`),
        ];
      },
    },
    replayEvent: {
      action: 'event.replayed',
      type: 'event',
      make: async () => {
        await subscribe(lab.api);
        const resource = (await deliver(lab.api)).event_id;
        const answer = await lab.api.post(`/events/${resource}/replay`);
        return { answer, resource, details: { event: 'audit.made', deliveries: 1 } };
      },
      refusals: async () => {
        const id = await subscribe(lab.api);
        const event = (await deliver(lab.api)).event_id;
        await lab.api.delete(`/subscriptions/${id}`);
        return [
          () => lab.api.post(`/events/${event}/replay`),
          () => lab.api.post(`/events/${event}/replay`, { subscription_id: id }),
          () => lab.api.post(`/events/${UNKNOWN_ID}/replay`),
        ];
      },
    },
    retryDeliveries: {
      action: 'task.started',
      type: 'task',
      make: async () => {
        const id = await subscribe(lab.api);
        const answer = await lab.api.post<{ id: string }>('/deliveries/retry', { subscription_id: id });
        const details = { kind: 'retry_deliveries', total: 0, status: 'FAILED', subscription_id: id };
        return { answer, resource: answer.body.id, details };
      },
      refusals: async () => {
        await Promise.resolve();
        return [() => lab.api.post('/deliveries/retry', { subscription_id: UNKNOWN_ID })];
      },
    },
    recoverSubscription: startsTask(lab, 'recover', { kind: 'retry_deliveries', status: 'FAILED' }),
    replayMissing: startsTask(lab, 'replay-missing', { kind: 'replay_missing' }),
    cancelTask: {
      action: 'task.cancelled',
      type: 'task',
      make: async () => {
        const { body } = await lab.api.post<{ id: string }>('/deliveries/retry', { all: true });
        const answer = await lab.api.post(`/tasks/${body.id}/cancel`);
        return { answer, resource: body.id, details: { kind: 'retry_deliveries', done: 0, total: 0 } };
      },
      refusals: async () => {
        await Promise.resolve();
        return [() => lab.api.post(`/tasks/${UNKNOWN_ID}/cancel`)];
      },
    },
  };
}

function startsTask(lab: AuditLab, verb: string, details: object): Change {
  return {
    action: 'task.started',
    type: 'task',
    make: async () => {
      const id = await subscribe(lab.api);
      const answer = await lab.api.post<{ id: string }>(`/subscriptions/${id}/${verb}`, { since: SINCE });
      return {
        answer,
        resource: answer.body.id,
        details: { ...details, total: 0, subscription_id: id, since: SINCE },
      };
    },
    refusals: async () => {
      const id = await subscribe(lab.api);
      return [
        () => lab.api.post(`/subscriptions/${UNKNOWN_ID}/${verb}`, { since: SINCE }),
        () => lab.api.post(`/subscriptions/${id}/${verb}`, {}),
      ];
    },
  };
}
