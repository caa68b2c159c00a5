import type { SelectQueryBuilder } from 'typeorm';

import type { DeliveryFilter } from '../../application/ports/delivery-repository.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { DeliveryStatus } from '../../domain/delivery.js';
import { idBounds, IDS_OF_DELIVERIES } from './created-between.js';
import { DeliveryRow } from './delivery.row.js';
import { managerOf } from './typeorm-transactions.js';

const OPEN: readonly DeliveryStatus[] = ['PENDING', 'SENDING'];

/* As the partial indexes have it. What is open is written so that its index serves this list alone, never the engine. */
const IS_OPEN = `d.status || '' IN ('PENDING', 'SENDING')`;
const IS_FINISHED = `d.status IN ('DELIVERED', 'FAILED')`;

/**
 * A tenant's deliveries, newest first, read from an index in the order of the list: what a page costs does not grow with what
 * the tenant has stored.
 */
export async function listDeliveries(
  transaction: Transaction,
  filter: DeliveryFilter,
  limit: number,
  afterId: string | null,
): Promise<DeliveryRow[]> {
  const part = (state?: string): SelectQueryBuilder<DeliveryRow> =>
    partOfList(transaction, filter, limit, afterId, state);
  // Of one event and one subscription, what is open and what is finished are found by an index each.
  const isPair =
    filter.event !== undefined && filter.subscriptionId !== undefined && filter.status === undefined;
  if (!isPair) return part().getMany();
  const [open, finished] = [part(IS_OPEN).select('d.id', 'id'), part(IS_FINISHED).select('d.id', 'id')];
  // One statement: what ends, or is sent again, between two of them would be in neither.
  const ids = await managerOf(transaction)
    .createQueryBuilder()
    .select('page.id', 'id')
    .from(`((${open.getQuery()}) UNION ALL (${finished.getQuery()}))`, 'page')
    .setParameters({ ...open.getParameters(), ...finished.getParameters() })
    .orderBy('page.id', 'DESC')
    .limit(limit)
    .getRawMany<{ id: string }>();
  if (ids.length === 0) return [];
  return managerOf(transaction)
    .createQueryBuilder(DeliveryRow, 'd')
    .where('d.tenant_id = :tenantId', { tenantId: transaction.tenantId })
    .andWhere('d.id = ANY (:ids::uuid[])', { ids: ids.map(({ id }) => id) })
    .orderBy('d.id', 'DESC')
    .getMany();
}

function partOfList(
  transaction: Transaction,
  { event, status, subscriptionId, since, until }: DeliveryFilter,
  limit: number,
  afterId: string | null,
  state: string | undefined,
): SelectQueryBuilder<DeliveryRow> {
  const query = managerOf(transaction)
    .createQueryBuilder(DeliveryRow, 'd')
    .where('d.tenant_id = :tenantId', { tenantId: transaction.tenantId });
  // What is open is little beside what is stored. Its index is taken because the others cannot serve this comparison.
  const isOpen = state === IS_OPEN || (status !== undefined && OPEN.includes(status));
  const equals = isOpen ? 'IS NOT DISTINCT FROM' : '=';
  if (event !== undefined) query.andWhere(`d.event ${equals} :event`, { event });
  if (subscriptionId !== undefined) {
    query.andWhere(`d.subscription_id ${equals} :subscriptionId`, { subscriptionId });
  }
  if (status !== undefined) query.andWhere('d.status = :status', { status });
  if (isOpen) query.andWhere(IS_OPEN);
  else if (state !== undefined) query.andWhere(state);
  if (since !== undefined) query.andWhere('d.created_at >= :since', { since });
  if (until !== undefined) query.andWhere('d.created_at < :until', { until });
  const { from, to } = idBounds({ since, until }, IDS_OF_DELIVERIES);
  if (from !== undefined) query.andWhere('d.id >= :from', { from });
  if (to !== undefined) query.andWhere('d.id < :to', { to });
  if (afterId !== null) query.andWhere('d.id < :afterId', { afterId });
  return query.orderBy('d.id', 'DESC').limit(limit);
}
