import { Injectable } from '@nestjs/common';

import { EventOutbox, type AppendResult, type NewEvent } from '../../application/ports/event-outbox.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { Lane } from '../../domain/lane.js';
import { noteEmitted } from './emitted-in-transaction.js';
import { managerOf } from './typeorm-transactions.js';

interface EmitRow {
  readonly outcome: 'stored' | 'unmatched' | 'repeated';
  readonly event_id: string | null;
  readonly fingerprint: string | null;
  readonly delivery_ids: string[];
  readonly subscription_ids: string[];
}

const EMIT = 'SELECT * FROM webhook_emit($1, $2, $3, $4, $5::json, $6, $7, $8)';

/** Stores an event and fans it out in one round trip, with the database function `webhook_emit`. */
@Injectable()
export class TypeormEventOutbox extends EventOutbox {
  override async append(transaction: Transaction, event: NewEvent): Promise<AppendResult> {
    const rows = await managerOf(transaction).query<EmitRow[]>(EMIT, [
      event.tenantId,
      event.id,
      event.event,
      event.patterns,
      event.payload,
      event.idempotency?.key ?? null,
      event.idempotency?.fingerprint ?? null,
      event.onlyIfMatched,
    ]);
    const row = rows[0];
    if (row === undefined) throw new Error('webhook_emit returned no row');
    if (row.outcome === 'unmatched') return { kind: 'unmatched' };
    if (row.outcome === 'repeated') {
      return {
        kind: 'repeated',
        eventId: row.event_id ?? '',
        fingerprint: row.fingerprint ?? '',
        deliveryIds: row.delivery_ids,
      };
    }
    return {
      kind: 'stored',
      deliveryIds: row.delivery_ids,
      lanes: row.subscription_ids.map((subscriptionId) => ({ tenantId: event.tenantId, subscriptionId })),
    };
  }

  override announceAfterCommit(transaction: Transaction, event: string, lanes: readonly Lane[]): void {
    noteEmitted(managerOf(transaction), event, lanes);
  }
}
