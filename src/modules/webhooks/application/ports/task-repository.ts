import type { Task, TaskSelection } from '../../domain/task.js';
import type { Transaction } from './transaction.js';

export interface NewTask {
  readonly id: string;
  readonly tenantId: string;
  readonly createdBy: string;
  readonly work: TaskSelection;
  readonly total: number;
  readonly skipped: number;
  /** What makes a repeated request recognisable; null when the caller gave no key. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null;
}

export interface TaskCount {
  readonly count: number;
  /** Rows that match as well, and cannot be sent. */
  readonly skipped: number;
}

export interface TaskPage {
  readonly tasks: readonly Task[];
  readonly hasMore: boolean;
}

/** A tenant's background tasks. Must not come in: doing their work, which is {@link TaskSteps}' and the engine's. */
export abstract class TaskRepository {
  /** How many rows the task would send again; of very many events that a filter would be asked about, how many those are. */
  abstract count(transaction: Transaction, work: TaskSelection): Promise<TaskCount>;
  /**
   * The task that was started with this key; null: none was, and until the transaction ends nobody else may start one with it.
   */
  abstract claimKey(
    transaction: Transaction,
    key: string,
  ): Promise<{ readonly task: Task; readonly fingerprint: string } | null>;
  /** Stores a running task over what there is now; rows that come later are not its own. */
  abstract insert(transaction: Transaction, task: NewTask): Promise<Task>;
  abstract find(transaction: Transaction, id: string): Promise<Task | null>;
  /** Newest first, starting after the task `afterId`. `limit` 1–100. */
  abstract list(transaction: Transaction, limit: number, afterId: string | null): Promise<TaskPage>;
  /** Cancels it if it is running. @returns whether it was; the task itself is read apart. */
  abstract cancel(transaction: Transaction, id: string): Promise<boolean>;
}
