import { Injectable } from '@nestjs/common';

import { WebhookError } from '../domain/errors.js';
import type { StoredEventDetail } from '../domain/stored-event.js';
import { EventRepository, type EventFilter, type EventPage } from './ports/event-repository.js';
import { TenantTransactions } from './ports/transaction.js';

@Injectable()
export class ReadEvents {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly events: EventRepository,
  ) {}

  /** Newest first; `afterId` is the last id of the page before. `limit` 1–100. */
  async list(
    tenantId: string,
    filter: EventFilter,
    limit: number,
    afterId: string | null,
  ): Promise<EventPage> {
    return this.transactions.run(tenantId, (transaction) =>
      this.events.list(transaction, filter, limit, afterId),
    );
  }

  /** @throws WebhookError `event_not_found`. */
  async get(tenantId: string, id: string): Promise<StoredEventDetail> {
    const found = await this.transactions.run(tenantId, (transaction) =>
      this.events.findDetail(transaction, id),
    );
    if (found === null) throw new WebhookError('event_not_found');
    return found;
  }
}
