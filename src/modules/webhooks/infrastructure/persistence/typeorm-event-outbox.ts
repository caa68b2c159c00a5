import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { EventOutbox, type AppendResult, type NewEvent } from '../../application/ports/event-outbox.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { Lane } from '../../domain/lane.js';
import { resourceIdOf } from '../../domain/resource-id.js';
import { noteEmitted } from './emitted-in-transaction.js';
import { KnownFilters, type Judgements, type Undecided } from './known-filters.js';
import { notStored, type FanOutRow } from './not-stored.js';
import { managerOf } from './typeorm-transactions.js';

const EMIT = 'SELECT * FROM webhook_emit($1, $2, $3, $4, $5::json, $6, $7, $8, $9::jsonb, $10, $11)';

/**
 * Stores an event and fans it out in one round trip, with the database function `webhook_emit`; in two when a filter of a
 * subscription listens that this process has not met yet.
 */
@Injectable()
export class TypeormEventOutbox extends EventOutbox {
  constructor(private readonly filters: KnownFilters) {
    super();
  }

  override async append(transaction: Transaction, event: NewEvent): Promise<AppendResult> {
    const manager = managerOf(transaction);
    return this.filters.decide(event, (judgements) => emit(manager, event, judgements));
  }

  override announceAfterCommit(transaction: Transaction, event: string, lanes: readonly Lane[]): void {
    noteEmitted(managerOf(transaction), event, lanes);
  }
}

async function emit(
  manager: EntityManager,
  event: NewEvent,
  judgements: Judgements | null,
): Promise<AppendResult | Undecided> {
  const rows = await manager.query<FanOutRow[]>(EMIT, [
    event.tenantId,
    event.id,
    event.event,
    event.patterns,
    event.payload,
    event.idempotency?.key ?? null,
    event.idempotency?.fingerprint ?? null,
    event.onlyIfMatched,
    judgements === null ? null : JSON.stringify(judgements),
    resourceIdOf(event.payload),
    event.orderingKey ?? null,
  ]);
  const row = rows[0];
  if (row === undefined) throw new Error('webhook_emit returned no row');
  const refused = notStored(row);
  if (refused !== null) return refused;
  return {
    kind: 'stored',
    deliveryIds: row.delivery_ids,
    lanes: row.subscription_ids.map((subscriptionId) => ({ tenantId: event.tenantId, subscriptionId })),
  };
}
