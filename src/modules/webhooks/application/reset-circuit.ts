import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { WebhookError } from '../domain/errors.js';
import { CLOSED_ENDPOINT, type Subscription } from '../domain/subscription.js';
import { AuditTrail } from './ports/audit-trail.js';
import { LaneCircuits } from './ports/lane-circuits.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TenantTransactions } from './ports/transaction.js';

export interface ResetCircuitCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
}

/** Closes the circuit of an endpoint, whose tenant knows that it is well: what waits flows again, at a bounded pace. */
@Injectable()
export class ResetCircuit {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly circuits: LaneCircuits,
    private readonly trail: AuditTrail,
    private readonly dispatcher: LaneDispatcher,
    private readonly logger: AppLogger,
  ) {}

  /**
   * Attempts under way go on, and count for nothing.
   *
   * @throws WebhookError `subscription_not_found`, or `subscription_inactive`.
   */
  async execute({ tenantId, actor, id }: ResetCircuitCommand): Promise<Subscription> {
    const found = await this.transactions.run(tenantId, async (transaction) => {
      const before = await this.subscriptions.find(transaction, id);
      if (before === null) throw new WebhookError('subscription_not_found');
      if (!before.active) throw new WebhookError('subscription_inactive');
      await this.circuits.reset(transaction, id, 'Reset by hand');
      await this.trail.record(transaction, {
        ...{ tenantId, actor, resourceType: 'subscription', resourceId: id },
        action: 'subscription.circuit_reset',
        details: { state_before: before.circuit.state },
      });
      return before;
    });
    if (found.circuit.state !== 'closed') {
      this.logger.info(`Webhook endpoint released: ${id} (circuit_open)`, { subscriptionId: id, tenantId });
    }
    this.dispatcher.ring([{ tenantId, subscriptionId: id }]);
    return { ...found, circuit: CLOSED_ENDPOINT };
  }
}
