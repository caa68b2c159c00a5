import { Injectable } from '@nestjs/common';

import { Clock } from '../../../platform/kernel/clock.js';
import { InvalidInputError } from '../../../platform/kernel/domain-error.js';
import { WebhookError } from '../domain/errors.js';
import { bucketsOf, statisticsOf, type Bucket, type Statistics } from '../domain/statistics.js';
import { statisticsRange, type RangeWish, type StatisticsRange } from '../domain/statistics-range.js';
import { AttemptStatistics } from './ports/attempt-statistics.js';
import { SubscriptionRepository } from './ports/subscription-repository.js';
import { TenantTransactions } from './ports/transaction.js';

export interface StatisticsQuery extends RangeWish {
  readonly subscriptionId?: string | undefined;
}

export interface StatisticsAnswer {
  readonly range: StatisticsRange;
  readonly totals: Statistics;
  readonly buckets: readonly Bucket[];
}

/** What became of a tenant's attempts, over time. */
@Injectable()
export class ReadStatistics {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly subscriptions: SubscriptionRepository,
    private readonly statistics: AttemptStatistics,
    private readonly clock: Clock,
  ) {}

  /** @throws InvalidInputError; WebhookError `subscription_not_found`. */
  async execute(tenantId: string, query: StatisticsQuery): Promise<StatisticsAnswer> {
    const found = statisticsRange(query, this.clock.nowMs());
    if (!found.ok) {
      throw new InvalidInputError([{ type: 'value_error', loc: ['query', found.field], msg: found.message }]);
    }
    const { range } = found;
    const { subscriptionId } = query;
    const counted = await this.transactions.run(tenantId, async (transaction) => {
      if (subscriptionId !== undefined) {
        const subscription = await this.subscriptions.find(transaction, subscriptionId);
        if (subscription === null) throw new WebhookError('subscription_not_found');
      }
      return this.statistics.counted(transaction, range, subscriptionId ?? null);
    });
    return { range, totals: statisticsOf(counted), buckets: bucketsOf(counted, range) };
  }
}
