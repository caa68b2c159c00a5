import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { WebhookError } from '../domain/errors.js';
import type { Subscription } from '../domain/subscription.js';
import { AuditTrail } from './ports/audit-trail.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { LanePauses } from './ports/lane-pauses.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TenantTransactions } from './ports/transaction.js';

export interface PauseSubscriptionCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
  /** False resumes it. */
  readonly isPaused: boolean;
}

/** Keeps what a subscription gets back, or lets it go again. Deliveries wait; nothing is dropped, no attempt spent. */
@Injectable()
export class PauseSubscription {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly pauses: LanePauses,
    private readonly trail: AuditTrail,
    private readonly dispatcher: LaneDispatcher,
    private readonly logger: AppLogger,
  ) {}

  /**
   * The same again changes nothing. An attempt under way goes on.
   *
   * @throws WebhookError `subscription_not_found`, or `subscription_inactive`.
   */
  async execute({ tenantId, actor, id, isPaused }: PauseSubscriptionCommand): Promise<Subscription> {
    const { subscription, hasChanged } = await this.transactions.run(tenantId, async (transaction) => {
      const found = await this.subscriptions.find(transaction, id);
      if (found === null) throw new WebhookError('subscription_not_found');
      if (!found.active) throw new WebhookError('subscription_inactive');
      const changed = await this.pauses.set(transaction, id, isPaused);
      if (changed) {
        await this.trail.record(transaction, {
          ...{ tenantId, actor, resourceType: 'subscription', resourceId: id, details: {} },
          action: isPaused ? 'subscription.paused' : 'subscription.resumed',
        });
      }
      return { subscription: { ...found, isPaused }, hasChanged: changed };
    });
    if (hasChanged) {
      const change = isPaused ? 'held' : 'released';
      this.logger.info(`Webhook endpoint ${change}: ${id} (paused)`, { subscriptionId: id, tenantId });
    }
    // Also when nothing has changed: a ring of before may have been lost with its process.
    if (!isPaused) this.dispatcher.ring([{ tenantId, subscriptionId: id }]);
    return subscription;
  }
}
