import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { decideManualRetry } from '../domain/delivery.js';
import { WebhookError } from '../domain/errors.js';
import { AuditTrail } from './ports/audit-trail.js';
import { DeliveryRepository } from './ports/delivery-repository.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { TenantTransactions } from './ports/transaction.js';

/** `already_sending`: an attempt is under way, so no further one was queued. */
export type RetryResult = 'queued' | 'already_sending';

export interface RetryDeliveryCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
  /** Also when it has not FAILED. */
  readonly force: boolean;
}

@Injectable()
export class RetryDelivery {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly deliveries: DeliveryRepository,
    private readonly trail: AuditTrail,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /**
   * Makes a delivery due now as a manual attempt to the subscription's current URL.
   *
   * @throws WebhookError `delivery_not_found`, `delivery_not_failed` without `force`, or `payload_expired`.
   */
  async execute({ tenantId, actor, id, force }: RetryDeliveryCommand): Promise<RetryResult> {
    const decided = await this.transactions.run(tenantId, async (transaction) => {
      const delivery = await this.deliveries.findForUpdate(transaction, id);
      if (delivery === null) throw new WebhookError('delivery_not_found');
      const decision = decideManualRetry(delivery.status, force);
      if (decision.kind === 'refused') throw new WebhookError('delivery_not_failed');
      if (decision.kind === 'requeue') {
        if (delivery.payloadExpired) throw new WebhookError('payload_expired');
        await this.deliveries.requeueManually(transaction, id);
        await this.trail.record(transaction, {
          tenantId,
          actor,
          action: 'delivery.retried',
          resourceType: 'delivery',
          resourceId: id,
          details: { event: delivery.event, status_before: delivery.status, forced: force },
        });
      }
      return { decision, subscriptionId: delivery.subscriptionId };
    });
    if (decided.decision.kind === 'already_sending') return 'already_sending';
    this.dispatcher.ring([{ tenantId, subscriptionId: decided.subscriptionId }]);
    return 'queued';
  }
}
