import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { CANCELLED, decideCancellation, type Delivery } from '../domain/delivery.js';
import { WebhookError } from '../domain/errors.js';
import { AuditTrail } from './ports/audit-trail.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { DeliveryRepository } from './ports/delivery-repository.js';
import { TenantTransactions } from './ports/transaction.js';

export interface CancelDeliveryCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
}

@Injectable()
export class CancelDelivery {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly deliveries: DeliveryRepository,
    private readonly trail: AuditTrail,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /**
   * Ends a delivery that waits: FAILED, `Cancelled`. One that was cancelled already stays as it is.
   *
   * @throws WebhookError `delivery_not_found`, or `delivery_not_pending` when an attempt is under way or it has ended.
   */
  async execute({ tenantId, actor, id }: CancelDeliveryCommand): Promise<Delivery> {
    const cancelled = await this.transactions.run(tenantId, async (transaction) => {
      const delivery = await this.deliveries.findForUpdate(transaction, id);
      if (delivery === null) throw new WebhookError('delivery_not_found');
      const decision = decideCancellation(delivery);
      if (decision === 'refused') throw new WebhookError('delivery_not_pending');
      if (decision === 'ended_already') return delivery;
      await this.trail.record(transaction, {
        tenantId,
        actor,
        action: 'delivery.cancelled',
        resourceType: 'delivery',
        resourceId: id,
        details: { event: delivery.event, attempts: delivery.attempts },
      });
      return this.deliveries.end(transaction, delivery, CANCELLED);
    });
    // What waited for it in its order may go now.
    this.dispatcher.ring([{ tenantId, subscriptionId: cancelled.subscriptionId }]);
    return cancelled;
  }
}
