import { createHash } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import type { AuditDetails } from '../domain/audit.js';
import { WebhookError } from '../domain/errors.js';
import type { Task, TaskSelection } from '../domain/task.js';
import { AuditTrail } from './ports/audit-trail.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TaskRepository, type TaskCount } from './ports/task-repository.js';
import { TenantTransactions, type Transaction } from './ports/transaction.js';

export interface StartTaskCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly work: TaskSelection;
  /** The same again, with the same work: the same task. */
  readonly idempotencyKey?: string | undefined;
}

/** Starts a background task over many deliveries or events, or only says how many it would be over. */
@Injectable()
export class StartTask {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly tasks: TaskRepository,
    private readonly subscriptions: SubscriptionRepository,
    private readonly trail: AuditTrail,
    private readonly ids: IdGenerator,
  ) {}

  /**
   * @throws WebhookError `subscription_not_found`, `subscription_inactive` when it could not be sent to, or
   * `idempotency_conflict`.
   */
  async execute({ tenantId, actor, work, idempotencyKey }: StartTaskCommand): Promise<Task> {
    const fingerprint = createHash('sha256').update(JSON.stringify(work)).digest('hex');
    const key = idempotencyKey === undefined ? null : { key: idempotencyKey, fingerprint };
    return this.transactions.run(tenantId, async (transaction) => {
      const earlier = key === null ? null : await this.tasks.claimKey(transaction, key.key);
      if (earlier !== null && earlier.fingerprint !== fingerprint)
        throw new WebhookError('idempotency_conflict');
      if (earlier !== null) return earlier.task;
      await this.requireTarget(transaction, work);
      const { count: total, skipped } = await this.tasks.count(transaction, work);
      const id = this.ids.next();
      await this.trail.record(transaction, {
        tenantId,
        actor,
        action: 'task.started',
        resourceType: 'task',
        resourceId: id,
        details: { kind: work.kind, total, ...auditedSelection(work) },
      });
      return this.tasks.insert(transaction, {
        ...{ id, tenantId, createdBy: actor.subject, work, total, skipped },
        idempotency: key,
      });
    });
  }

  /** How many rows the task would send again; nothing is changed. @throws as {@link execute}. */
  async count(tenantId: string, work: TaskSelection): Promise<TaskCount> {
    return this.transactions.run(tenantId, async (transaction) => {
      await this.requireTarget(transaction, work);
      return this.tasks.count(transaction, work);
    });
  }

  private async requireTarget(transaction: Transaction, { selection }: TaskSelection): Promise<void> {
    if (selection.subscriptionId === undefined) return;
    const subscription = await this.subscriptions.find(transaction, selection.subscriptionId);
    if (subscription === null) throw new WebhookError('subscription_not_found');
    if (!subscription.active) throw new WebhookError('subscription_inactive');
  }
}

/** What was chosen, in the names of the API. */
function auditedSelection({ selection }: TaskSelection): AuditDetails {
  const { subscriptionId, ...rest } = selection;
  return { ...rest, ...(subscriptionId === undefined ? {} : { subscription_id: subscriptionId }) };
}
