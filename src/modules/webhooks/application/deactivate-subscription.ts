import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { WebhookError } from '../domain/errors.js';
import { DEACTIVATED_BY_TENANT } from '../domain/subscription.js';
import { AuditTrail } from './ports/audit-trail.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TenantTransactions } from './ports/transaction.js';

export interface DeactivateSubscriptionCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
}

@Injectable()
export class DeactivateSubscription {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly trail: AuditTrail,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /** @throws WebhookError `subscription_not_found`, also when it is inactive already. */
  async execute({ tenantId, actor, id }: DeactivateSubscriptionCommand): Promise<void> {
    await this.transactions.run(tenantId, async (transaction) => {
      const done = await this.subscriptions.deactivate(transaction, id, DEACTIVATED_BY_TENANT);
      if (!done) throw new WebhookError('subscription_not_found');
      await this.trail.record(transaction, {
        tenantId,
        actor,
        action: 'subscription.deactivated',
        resourceType: 'subscription',
        resourceId: id,
        details: { reason: DEACTIVATED_BY_TENANT },
      });
    });
    // Its lane ends what still waits, as FAILED with the reason.
    this.dispatcher.ring([{ tenantId, subscriptionId: id }]);
  }
}
