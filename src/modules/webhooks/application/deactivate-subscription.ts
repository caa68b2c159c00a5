import { Injectable } from '@nestjs/common';

import { WebhookError } from '../domain/errors.js';
import { DEACTIVATED_BY_TENANT } from '../domain/subscription.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TenantTransactions } from './ports/transaction.js';

@Injectable()
export class DeactivateSubscription {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /** @throws WebhookError `subscription_not_found`, also when it is inactive already. */
  async execute(tenantId: string, id: string): Promise<void> {
    const done = await this.transactions.run(tenantId, (transaction) =>
      this.subscriptions.deactivate(transaction, id, DEACTIVATED_BY_TENANT),
    );
    if (!done) throw new WebhookError('subscription_not_found');
    // Its lane ends what still waits, as FAILED with the reason.
    this.dispatcher.ring([{ tenantId, subscriptionId: id }]);
  }
}
