import { Injectable } from '@nestjs/common';

import { WebhookError } from '../domain/errors.js';
import {
  DeliveryRepository,
  type DeliveryDetail,
  type DeliveryFilter,
  type DeliveryPage,
} from './ports/delivery-repository.js';
import { TenantTransactions } from './ports/transaction.js';

@Injectable()
export class ReadDeliveries {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly deliveries: DeliveryRepository,
  ) {}

  /** Newest first; `afterId` is the last id of the page before. `limit` 1–100. */
  async list(
    tenantId: string,
    filter: DeliveryFilter,
    limit: number,
    afterId: string | null,
  ): Promise<DeliveryPage> {
    return this.transactions.run(tenantId, (transaction) =>
      this.deliveries.list(transaction, filter, limit, afterId),
    );
  }

  /** @throws WebhookError `delivery_not_found`. */
  async get(tenantId: string, id: string): Promise<DeliveryDetail> {
    const found = await this.transactions.run(tenantId, (transaction) =>
      this.deliveries.findDetail(transaction, id),
    );
    if (found === null) throw new WebhookError('delivery_not_found');
    return found;
  }
}
