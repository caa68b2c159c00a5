import { subscribe, UNKNOWN_ID, type AuditLab, type Change } from './audit-lab.js';

const SINCE = '2026-01-01T00:00:00.000Z';

/** Operations on tasks, and those that start one. */
export function taskChanges(lab: AuditLab): Readonly<Record<string, Change>> {
  return {
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
