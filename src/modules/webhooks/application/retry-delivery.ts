import { Injectable } from '@nestjs/common';

import { decideManualRetry } from '../domain/delivery.js';
import { WebhookError } from '../domain/errors.js';
import { DeliveryRepository } from './ports/delivery-repository.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { TenantTransactions } from './ports/transaction.js';

/** `already_sending`: an attempt is under way, so no further one was queued. */
export type RetryResult = 'queued' | 'already_sending';

@Injectable()
export class RetryDelivery {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly deliveries: DeliveryRepository,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /**
   * Makes a delivery due now as a manual attempt to the subscription's current URL.
   *
   * @throws WebhookError `delivery_not_found`, or `delivery_not_failed` without `force`.
   */
  async execute(tenantId: string, id: string, force: boolean): Promise<RetryResult> {
    const decided = await this.transactions.run(tenantId, async (transaction) => {
      const delivery = await this.deliveries.findForUpdate(transaction, id);
      if (delivery === null) throw new WebhookError('delivery_not_found');
      const decision = decideManualRetry(delivery.status, force);
      if (decision.kind === 'refused') throw new WebhookError('delivery_not_failed');
      if (decision.kind === 'requeue') await this.deliveries.requeueManually(transaction, id);
      return { decision, subscriptionId: delivery.subscriptionId };
    });
    if (decided.decision.kind === 'already_sending') return 'already_sending';
    this.dispatcher.ring([{ tenantId, subscriptionId: decided.subscriptionId }]);
    return 'queued';
  }
}
