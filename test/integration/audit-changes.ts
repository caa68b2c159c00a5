import { expect } from '@jest/globals';

import type { ApiAnswer } from '../support/api-client.js';
import { deliver, SECRET, subscribe, UNKNOWN_ID, type AuditLab, type Change } from './audit-lab.js';
import { subscriptionChanges } from './audit-subscription-changes.js';
import { taskChanges } from './audit-task-changes.js';

/** Every mutating operation of webhooks, by its operationId; a test compares them with the OpenAPI document. */
export function auditedChanges(lab: AuditLab): Readonly<Record<string, Change>> {
  return { ...subscriptionChanges(lab), ...deliveryChanges(lab), ...taskChanges(lab), ...panelChanges(lab) };
}

function panelChanges(lab: AuditLab): Readonly<Record<string, Change>> {
  return {
    createPanelSession: {
      action: 'panel_session.created',
      type: 'panel_session',
      make: async () => {
        const answer = await lab.api.post<{ id: string }>('/panel-sessions', { read_only: true });
        return { answer, resource: answer.body.id, details: { read_only: true, scope: 'webhooks:read' } };
      },
      refusals: async () => {
        await Promise.resolve();
        return [() => lab.api.post('/panel-sessions', { read_only: 'yes' })];
      },
    },
  };
}

function deliveryChanges(lab: AuditLab): Readonly<Record<string, Change>> {
  return {
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
  };
}
