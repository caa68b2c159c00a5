import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { WebhookError } from '../domain/errors.js';
import { patternsMatching } from '../domain/event-name.js';
import { letsThrough, payloadOf } from '../domain/payload-filter/payload-filter.js';
import { AuditTrail } from './ports/audit-trail.js';
import { EventRepository, type ReplayTarget } from './ports/event-repository.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TenantTransactions, type Transaction } from './ports/transaction.js';

export interface ReplayEventCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly eventId: string;
  /** Undefined: to every active subscription that matches the event now, its filter included. */
  readonly subscriptionId?: string | undefined;
}

/** Sends a stored event again, as manual attempts. */
@Injectable()
export class ReplayEvent {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly events: EventRepository,
    private readonly subscriptions: SubscriptionRepository,
    private readonly trail: AuditTrail,
    private readonly dispatcher: LaneDispatcher,
  ) {}

  /**
   * @returns the ids of the deliveries that are due now; one that was being sent already is not among them
   * @throws WebhookError `event_not_found`, `subscription_not_found`, `subscription_inactive`,
   * `payload_expired`, or `no_active_subscriptions_for_event`.
   */
  async execute(command: ReplayEventCommand): Promise<readonly string[]> {
    const { tenantId, eventId } = command;
    const { deliveryIds, lanes } = await this.transactions.run(tenantId, async (transaction) => {
      const found = await this.events.findReplayable(transaction, eventId);
      if (found === null) throw new WebhookError('event_not_found');
      if (found.payloadExpired) throw new WebhookError('payload_expired');
      const { event: name } = found;
      const target = await this.targetOf(transaction, name, command);
      const replayed = await this.events.replay(transaction, eventId, target);
      const isFiltered = target.kind === 'matching' && target.except.length > 0;
      // As with a new event: where a filter keeps it back, somebody listens.
      if (replayed.targets === 0 && !isFiltered) throw new WebhookError('no_active_subscriptions_for_event');
      await this.trail.record(transaction, {
        tenantId,
        actor: command.actor,
        action: 'event.replayed',
        resourceType: 'event',
        resourceId: eventId,
        details: { event: name, deliveries: replayed.deliveryIds.length },
      });
      return replayed;
    });
    this.dispatcher.ring(lanes);
    return deliveryIds;
  }

  private async targetOf(
    transaction: Transaction,
    name: string,
    { eventId, subscriptionId }: ReplayEventCommand,
  ): Promise<ReplayTarget> {
    if (subscriptionId !== undefined) {
      const subscription = await this.subscriptions.find(transaction, subscriptionId);
      if (subscription === null) throw new WebhookError('subscription_not_found');
      if (!subscription.active) throw new WebhookError('subscription_inactive');
      return { kind: 'subscription', subscriptionId };
    }
    const patterns = patternsMatching(name);
    return { kind: 'matching', patterns, except: await this.keptBack(transaction, eventId, patterns) };
  }

  /** Whoever is named gets it whatever its filter says; all others are asked, as they are now. */
  private async keptBack(
    transaction: Transaction,
    eventId: string,
    patterns: readonly string[],
  ): Promise<readonly string[]> {
    const listening = await this.events.listeningFilters(transaction, eventId, patterns);
    if (listening === null) return [];
    const payload = payloadOf(listening.payload);
    return listening.filters.flatMap(({ subscriptionId, filter }) =>
      letsThrough(filter, payload) ? [] : [subscriptionId],
    );
  }
}
