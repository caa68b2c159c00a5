import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { WebhookError } from '../domain/errors.js';
import type { Task } from '../domain/task.js';
import { AuditTrail } from './ports/audit-trail.js';
import { TaskRepository, type TaskPage } from './ports/task-repository.js';
import { TenantTransactions } from './ports/transaction.js';

export interface CancelTaskCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
}

/** What a tenant does with tasks that were started: look and cancel. */
@Injectable()
export class FollowTasks {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly tasks: TaskRepository,
    private readonly trail: AuditTrail,
  ) {}

  /** Newest first; `afterId` is the last id of the page before. `limit` 1–100. */
  async list(tenantId: string, limit: number, afterId: string | null): Promise<TaskPage> {
    return this.transactions.run(tenantId, (transaction) => this.tasks.list(transaction, limit, afterId));
  }

  /** @throws WebhookError `task_not_found`. */
  async get(tenantId: string, id: string): Promise<Task> {
    return known(await this.transactions.run(tenantId, (transaction) => this.tasks.find(transaction, id)));
  }

  /**
   * Stops a running task; what it made due until then is sent. One that has ended stays as it is.
   *
   * @throws WebhookError `task_not_found`.
   */
  async cancel({ tenantId, actor, id }: CancelTaskCommand): Promise<Task> {
    return this.transactions.run(tenantId, async (transaction) => {
      const cancelled = await this.tasks.cancel(transaction, id);
      const task = known(await this.tasks.find(transaction, id));
      if (cancelled) {
        await this.trail.record(transaction, {
          tenantId,
          actor,
          action: 'task.cancelled',
          resourceType: 'task',
          resourceId: id,
          details: { kind: task.kind, done: task.done, total: task.total },
        });
      }
      return task;
    });
  }
}

function known(task: Task | null): Task {
  if (task === null) throw new WebhookError('task_not_found');
  return task;
}
