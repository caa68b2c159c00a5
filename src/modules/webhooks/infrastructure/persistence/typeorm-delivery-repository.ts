import { Injectable } from '@nestjs/common';

import {
  DeliveryRepository,
  type DeliveryDetail,
  type DeliveryFilter,
  type DeliveryPage,
  type LockedDelivery,
} from '../../application/ports/delivery-repository.js';
import type { Delivery } from '../../domain/delivery.js';
import type { Transaction } from '../../application/ports/transaction.js';
import { AttemptRow } from './attempt.row.js';
import { toAttemptRecord, toDelivery } from './delivery.mapper.js';
import { DeliveryRow } from './delivery.row.js';
import { withLaneHolds } from './lane-holds.js';
import { listDeliveries } from './list-deliveries.js';
import { blockersOf } from './order-blockers.js';
import { AUTO_ATTEMPTS_AGAIN, POSITION_AGAIN } from './sent-again.js';
import { managerOf } from './typeorm-transactions.js';

/** What a delivery is part of. */
interface StandingRow {
  readonly has_payload: boolean | null;
  readonly active: boolean | null;
  readonly ordered: boolean | null;
}

/** Every statement names the transaction's tenant: row-level security is the other line of defence, not the only one. */
@Injectable()
export class TypeormDeliveryRepository extends DeliveryRepository {
  override async list(
    transaction: Transaction,
    filter: DeliveryFilter,
    limit: number,
    afterId: string | null,
  ): Promise<DeliveryPage> {
    // One more than asked for tells whether another page follows.
    const rows = await listDeliveries(transaction, filter, limit + 1, afterId);
    const deliveries = await withLaneHolds(transaction, rows.slice(0, limit).map(toDelivery));
    return { deliveries, hasMore: rows.length > limit };
  }

  override async findDetail(transaction: Transaction, id: string): Promise<DeliveryDetail | null> {
    const manager = managerOf(transaction);
    const { tenantId } = transaction;
    const row = await manager.getRepository(DeliveryRow).findOneBy({ tenantId, id });
    if (row === null) return null;
    const events = await manager.query<{ payload: string | null }[]>(
      'SELECT payload::text AS payload FROM webhook_events WHERE tenant_id = $1 AND id = $2',
      [row.tenantId, row.eventId],
    );
    const attempts = await manager
      .getRepository(AttemptRow)
      .find({ where: { tenantId, deliveryId: id }, order: { number: 'ASC' } });
    const detail = {
      ...toDelivery(row),
      payload: events[0]?.payload ?? null,
      attemptLog: attempts.map(toAttemptRecord),
    };
    const [shown] = await withLaneHolds(transaction, [detail]);
    return shown ?? detail;
  }

  override async findForUpdate(transaction: Transaction, id: string): Promise<LockedDelivery | null> {
    const manager = managerOf(transaction);
    const row = await manager
      .getRepository(DeliveryRow)
      .findOne({ where: { tenantId: transaction.tenantId, id }, lock: { mode: 'pessimistic_write' } });
    if (row === null) return null;
    const [now] = await manager.query<StandingRow[]>(
      `SELECT (SELECT e.has_payload FROM webhook_events e WHERE e.tenant_id = $1 AND e.id = $2) AS has_payload,
              (SELECT s.active FROM webhook_subscriptions s WHERE s.tenant_id = $1 AND s.id = $3) AS active,
              (SELECT s.settings ->> 'ordering' = 'fifo' FROM webhook_subscriptions s WHERE s.tenant_id = $1 AND s.id = $3) AS ordered`,
      [row.tenantId, row.eventId, row.subscriptionId],
    );
    return {
      ...toDelivery(row),
      payloadExpired: now?.has_payload !== true,
      subscriptionActive: now?.active === true,
      blocker: now?.ordered === true ? ((await blockersOf(transaction, [id])).get(id) ?? null) : null,
    };
  }

  override async requeueManually(transaction: Transaction, id: string): Promise<void> {
    await managerOf(transaction)
      .getRepository(DeliveryRow)
      .update(
        { tenantId: transaction.tenantId, id },
        {
          status: 'PENDING',
          autoAttempts: () => AUTO_ATTEMPTS_AGAIN,
          nextTrigger: 'manual',
          isRetry: false,
          position: () => POSITION_AGAIN,
          nextAttemptAt: () => 'now()',
          updatedAt: () => 'now()',
        },
      );
  }

  override async end(transaction: Transaction, delivery: Delivery, lastError: string): Promise<Delivery> {
    const result = await managerOf(transaction)
      .createQueryBuilder()
      .update(DeliveryRow)
      .set({
        status: 'FAILED',
        nextTrigger: 'auto',
        lastError,
        nextAttemptAt: null,
        updatedAt: () => 'now()',
      })
      .where({ tenantId: transaction.tenantId, id: delivery.id, status: 'PENDING' })
      .returning(['updatedAt'])
      .execute();
    const [row] = result.raw as readonly { readonly updated_at: Date }[];
    if (row === undefined) return delivery;
    return {
      ...delivery,
      status: 'FAILED',
      lastError,
      nextAttemptAt: null,
      hold: null,
      updatedAt: row.updated_at,
    };
  }
}
