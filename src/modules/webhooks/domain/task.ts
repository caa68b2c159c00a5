import type { DeliveryStatus } from './delivery.js';

/** `retry_deliveries`: send again what matches a filter; `replay_missing`: send what an endpoint matched but never got. */
export const TASK_KINDS = ['retry_deliveries', 'replay_missing'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** `FAILED`: it stopped on an error of ours, with `error` saying which; what was done until then stays done. */
export const TASK_STATUSES = ['RUNNING', 'DONE', 'CANCELLED', 'FAILED'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** States that can be sent again. What is SENDING is on its way already. */
export const RETRYABLE_STATUSES = [
  'FAILED',
  'DELIVERED',
  'PENDING',
] as const satisfies readonly DeliveryStatus[];
export type RetryableStatus = (typeof RETRYABLE_STATUSES)[number];

/** Which deliveries a task sends again. Times are ISO 8601 texts, as they are stored with the task. */
export interface DeliverySelection {
  readonly status: RetryableStatus;
  readonly event?: string | undefined;
  readonly subscriptionId?: string | undefined;
  /** Created at or after. */
  readonly since?: string | undefined;
  /** Created before. */
  readonly until?: string | undefined;
}

/** Events since a time that match a subscription now and have no delivery to it. */
export interface MissingSelection {
  readonly subscriptionId: string;
  readonly since: string;
}

export type TaskSelection =
  | { readonly kind: 'retry_deliveries'; readonly selection: DeliverySelection }
  | { readonly kind: 'replay_missing'; readonly selection: MissingSelection };

/** Work over many rows that goes on after the request that started it. */
export type Task = TaskSelection & {
  readonly id: string;
  readonly tenantId: string;
  readonly status: TaskStatus;
  /** Rows that matched when the task was started, or, of many that a filter is asked about, could match until it is done. */
  readonly total: number;
  /** Rows sent again so far. */
  readonly done: number;
  /** Rows that matched as well and cannot be sent, when it was started. */
  readonly skipped: number;
  readonly error: string | null;
  /** Subject of the token that started it. */
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly finishedAt: Date | null;
};
