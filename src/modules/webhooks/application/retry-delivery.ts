import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { refusesManualRetry } from '../domain/delivery.js';
import { WebhookError } from '../domain/errors.js';
import { AuditTrail } from './ports/audit-trail.js';
import { LaneCircuits } from './ports/lane-circuits.js';
import { DeliveryRepository } from './ports/delivery-repository.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { TenantTransactions } from './ports/transaction.js';

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
    private readonly circuits: LaneCircuits,
    private readonly trail: AuditTrail,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /**
   * Makes a delivery due now as a manual attempt to the subscription's current URL. Where the circuit of the endpoint is open,
   * it is the next probe.
   *
   * @throws WebhookError `delivery_not_found`, `delivery_not_failed` without `force`, `delivery_sending`,
   * `not_next_in_order`,
   * `subscription_inactive` or `payload_expired`.
   */
  async execute({ tenantId, actor, id, force }: RetryDeliveryCommand): Promise<void> {
    const subscriptionId = await this.transactions.run(tenantId, async (transaction) => {
      const delivery = await this.deliveries.findForUpdate(transaction, id);
      if (delivery === null) throw new WebhookError('delivery_not_found');
      const refusal = refusesManualRetry(delivery.status, force);
      if (refusal !== null) throw new WebhookError(refusal);
      // Sent now, it would overtake what is before it.
      if (delivery.blocker !== null) throw new WebhookError('not_next_in_order');
      if (!delivery.subscriptionActive) throw new WebhookError('subscription_inactive');
      if (delivery.payloadExpired) throw new WebhookError('payload_expired');
      await this.deliveries.requeueManually(transaction, id);
      await this.circuits.probeSoon(transaction, delivery.subscriptionId, id);
      await this.trail.record(transaction, {
        tenantId,
        actor,
        action: 'delivery.retried',
        resourceType: 'delivery',
        resourceId: id,
        details: { event: delivery.event, status_before: delivery.status, forced: force },
      });
      return delivery.subscriptionId;
    });
    this.dispatcher.ring([{ tenantId, subscriptionId }]);
  }
}
