import { Injectable } from '@nestjs/common';

import { WebhookError } from '../domain/errors.js';
import type { Subscription } from '../domain/subscription.js';
import { SubscriptionRepository, type SubscriptionFilter } from './ports/subscription-repository.js';
import { TenantTransactions } from './ports/transaction.js';

@Injectable()
export class ReadSubscriptions {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
  ) {}

  /** Newest first. */
  async list(tenantId: string, filter: SubscriptionFilter): Promise<Subscription[]> {
    return this.transactions.run(tenantId, (transaction) => this.subscriptions.list(transaction, filter));
  }

  /** @throws WebhookError `subscription_not_found`. */
  async get(tenantId: string, id: string): Promise<Subscription> {
    const found = await this.transactions.run(tenantId, (transaction) =>
      this.subscriptions.find(transaction, id),
    );
    if (found === null) throw new WebhookError('subscription_not_found');
    return found;
  }
}
