import { Injectable } from '@nestjs/common';

import type { Actor } from '../../../platform/kernel/actor.js';
import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { IdGenerator } from '../../../platform/kernel/id-generator.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import { TooManyTestsError, WebhookError } from '../domain/errors.js';
import { EventCatalogue } from '../domain/event-types/event-catalogue.js';
import type { EventType } from '../domain/event-types/event-type.js';
import { sampleEvent } from '../domain/event-types/sample-event.js';
import { SharedPlaces } from '../domain/shared-places.js';
import { AttemptDelivery } from './attempt-delivery.js';
import { DrainLane } from './drain-lane.js';
import { AuditTrail } from './ports/audit-trail.js';
import { DeliveryRepository, type DeliveryDetail } from './ports/delivery-repository.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TestDeliveries } from './ports/test-deliveries.js';
import { TenantTransactions } from './ports/transaction.js';

export interface TestSubscriptionCommand {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly id: string;
  /** The type to send an example of; without one, of the first that the subscription listens to. */
  readonly event?: string | undefined;
}

/** Tests of one subscription within a minute. */
export const MAX_TESTS_PER_MINUTE = 10;
const MINUTE_MS = 60_000;

/** Tests that a process has under way at once: each holds a request of the API open. */
const MAX_UNDER_WAY = 64;
/** Those of one tenant among them. */
const MAX_OF_TENANT = 8;

/**
 * Sends an example to an endpoint as any delivery is sent, and waits for its answer: one attempt, that counts for no circuit
 * and no rate, and is made whether the subscription is paused or not.
 */
@Injectable()
export class TestSubscription {
  private readonly places = new SharedPlaces(MAX_UNDER_WAY, MAX_OF_TENANT);

  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly tests: TestDeliveries,
    private readonly deliveries: DeliveryRepository,
    private readonly catalogue: EventCatalogue,
    private readonly attempt: AttemptDelivery,
    private readonly drain: DrainLane,
    private readonly dispatcher: LaneDispatcher,
    private readonly trail: AuditTrail,
    private readonly ids: IdGenerator,
  ) {}

  /**
   * @returns the delivery after its attempt
   * @throws InvalidInputError; WebhookError `subscription_not_found`, `subscription_inactive`, or `too_many_tests`.
   */
  async execute(command: TestSubscriptionCommand): Promise<DeliveryDetail> {
    const { tenantId } = command;
    const leave = this.places.take(tenantId);
    if (leave === null) throw new TooManyTestsError(1);
    try {
      const claim = await this.stored(command);
      await this.drain.accompany(this.attempted(claim));
      const detail = await this.transactions.run(tenantId, (transaction) =>
        this.deliveries.findDetail(transaction, claim.id),
      );
      if (detail === null) throw new WebhookError('delivery_not_found');
      return detail;
    } finally {
      leave();
    }
  }

  private async stored({ tenantId, actor, id, event }: TestSubscriptionCommand): Promise<ClaimedDelivery> {
    return this.transactions.run(tenantId, async (transaction) => {
      const subscription = await this.subscriptions.find(transaction, id);
      if (subscription === null) throw new WebhookError('subscription_not_found');
      if (!subscription.active) throw new WebhookError('subscription_inactive');
      const type = this.typeOf(event, subscription.events);
      const ages = await this.tests.agesMs(transaction, id);
      const tenth = ages[MAX_TESTS_PER_MINUTE - 1];
      if (tenth !== undefined) throw new TooManyTestsError(Math.ceil((MINUTE_MS - tenth) / 1_000));
      const claim = await this.tests.store(transaction, {
        id: this.ids.next(),
        subscriptionId: id,
        event: type.event,
        payload: JSON.stringify(type.example),
      });
      if (claim === null) throw new WebhookError('subscription_inactive');
      await this.trail.record(transaction, {
        ...{ tenantId, actor, resourceType: 'subscription', resourceId: id },
        action: 'subscription.tested',
        details: { event: type.event },
      });
      return claim;
    });
  }

  /** @throws InvalidInputError */
  private typeOf(wanted: string | undefined, patterns: readonly string[]): EventType {
    const name = wanted?.trim().toLowerCase();
    const type = name === undefined ? sampleEvent(patterns, this.catalogue) : this.catalogue.find(name);
    if (type === null) {
      throw InvalidInputError.ofField(
        'event',
        'Event must be one of GET /event-types: nobody knows an example of another',
      );
    }
    return type;
  }

  private async attempted(claim: ClaimedDelivery): Promise<void> {
    const { tenantId, subscriptionId } = claim;
    // The lane is nobody's to go on with because of a test.
    const { next } = await this.attempt.execute(claim, () => true);
    // What waits for a probe need not wait any longer.
    if (next.status === 'DELIVERED') this.dispatcher.ring([{ tenantId, subscriptionId }]);
  }
}
