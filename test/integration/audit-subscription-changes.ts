import { SECRET, subscribe, UNKNOWN_ID, URL_OF_TARGET, type AuditLab, type Change } from './audit-lab.js';

/** Operations on subscriptions. */
export function subscriptionChanges(lab: AuditLab): Readonly<Record<string, Change>> {
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
  };
}
