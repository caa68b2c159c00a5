import type { AttemptState, DeliveryState, RunHistory, SeenRequest } from './history.js';

export const DELIVERY: DeliveryState = {
  id: 'd1',
  eventNumber: 1,
  lane: 0,
  status: 'DELIVERED',
  attempts: 1,
  autoAttempts: 1,
  interruptions: 0,
  lastError: null,
};
export const REQUEST: SeenRequest = {
  webhookId: 'd1',
  deliveryIdHeader: 'd1',
  eventNumber: 1,
  lane: 0,
  worker: 'w1',
  arrivedAtMs: 10_000,
  endedAtMs: 10_010,
  answeredStatus: 200,
};
export const ATTEMPT: AttemptState = {
  deliveryId: 'd1',
  number: 1,
  trigger: 'auto',
  statusCode: 200,
  errorClass: null,
  error: null,
  durationMs: 10,
};
export const attemptsUpTo = (count: number): AttemptState[] =>
  Array.from({ length: count }, (_, index) => ({ ...ATTEMPT, number: index + 1 }));

/** A run of one event that went well, changed in one place. */
export function run(changes: Partial<RunHistory> = {}): RunHistory {
  return {
    maxRetries: 3,
    budgetMs: 1_000,
    events: [{ number: 1, lane: 0, fate: 'committed' }],
    requests: [REQUEST],
    deliveries: [DELIVERY],
    attempts: [ATTEMPT],
    incidents: [],
    overdueLeases: [],
    ...changes,
  };
}
