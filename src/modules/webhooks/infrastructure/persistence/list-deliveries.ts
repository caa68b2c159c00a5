import type { SelectQueryBuilder } from 'typeorm';

import type { Transaction } from '../../application/ports/transaction.js';
import type { DeliveryFilter } from '../../application/ports/delivery-repository.js';
import { idBounds, IDS_OF_DELIVERIES } from './created-between.js';
import { DeliveryRow } from './delivery.row.js';
import { OPEN, partsOf, type ListPart } from './list-parts.js';
import { managerOf } from './typeorm-transactions.js';

/** Events about one thing whose deliveries are looked for at most, the newest. */
const MOST_EVENTS = 1_000;

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
  const parts = partsOf(filter);
  const queries = parts.map((part) => queryOf(transaction, part, limit, afterId));
  const [only] = queries;
  if (only === undefined) return [];
  if (queries.length === 1 && parts[0]?.find === undefined) return only.getMany();
  // One statement: what ends, or is sent again, between two of them would be in neither.
  const union = queries.map((query, n) => `(${idsOf(query, parts[n])})`).join(' UNION ');
  const ids = await managerOf(transaction)
    .createQueryBuilder()
    .select('page.id', 'id')
    .from(`(${union})`, 'page')
    .setParameters(Object.assign({}, ...queries.map((query) => query.getParameters())) as object)
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

/** Of each event that is about a thing its own page, so that no plan can begin with all that the tenant has. */
function idsOf(query: SelectQueryBuilder<DeliveryRow>, part: ListPart | undefined): string {
  const ids = query.select('d.id', 'id').getQuery();
  if (part?.find?.by !== 'resource') return ids;
  return `SELECT x.id FROM (
      SELECT e.id FROM webhook_events e
       WHERE e.resource_id = :resourceId AND e.tenant_id = :tenantId ORDER BY e.id DESC LIMIT ${MOST_EVENTS}
    ) AS of_resource CROSS JOIN LATERAL (${ids}) AS x`;
}

function queryOf(
  transaction: Transaction,
  { filter, state, find }: ListPart,
  limit: number,
  afterId: string | null,
): SelectQueryBuilder<DeliveryRow> {
  const { event, status, subscriptionId, since, until, errorClass, isWell } = filter;
  const { tenantId } = transaction;
  const query = managerOf(transaction).createQueryBuilder(DeliveryRow, 'd');
  // What is open is little beside what is stored, and so is what belongs to an event. Their indexes are taken because the
  // others cannot serve this comparison.
  const isOpen = state === OPEN || status === 'PENDING' || status === 'SENDING';
  const isFound = find !== undefined;
  const equals = isOpen || isFound ? 'IS NOT DISTINCT FROM' : '=';
  query.where(`d.tenant_id ${isFound && find.by !== 'delivery' ? equals : '='} :tenantId`, { tenantId });
  if (find?.by === 'delivery') query.andWhere('d.id = :id', { id: find.id });
  if (find?.by === 'event') query.andWhere('d.event_id = :eventId', { eventId: find.id });
  if (find?.by === 'resource')
    query.andWhere('d.event_id = of_resource.id').setParameters({ resourceId: find.id });
  if (event !== undefined) query.andWhere(`d.event ${equals} :event`, { event });
  if (subscriptionId !== undefined) {
    query.andWhere(`d.subscription_id ${equals} :subscriptionId`, { subscriptionId });
  }
  if (errorClass !== undefined) query.andWhere(`d.last_error_class ${equals} :errorClass`, { errorClass });
  if (isWell) query.andWhere('d.last_error_class IS NULL AND d.last_status_code IS NOT NULL');
  if (status !== undefined) {
    // Of what failed in this way the index knows; of all that failed it would have to be looked for.
    const is = errorClass !== undefined && !isOpen ? 'IS NOT DISTINCT FROM' : '=';
    query.andWhere(`d.status ${is} :status`, { status });
  }
  if (isOpen) query.andWhere(OPEN);
  else if (state !== undefined) query.andWhere(state);
  if (since !== undefined) query.andWhere('d.created_at >= :since', { since });
  if (until !== undefined) query.andWhere('d.created_at < :until', { until });
  const { from, to } = idBounds({ since, until }, IDS_OF_DELIVERIES);
  if (from !== undefined) query.andWhere('d.id >= :from', { from });
  if (to !== undefined) query.andWhere('d.id < :to', { to });
  if (afterId !== null) query.andWhere('d.id < :afterId', { afterId });
  return query.orderBy('d.id', 'DESC').limit(limit);
}
