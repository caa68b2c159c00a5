import { Injectable } from '@nestjs/common';

import {
  EventRepository,
  type EventFilter,
  type EventPage,
  type ListeningFilters,
  type ReplayableEvent,
  type ReplayedDeliveries,
  type ReplayTarget,
} from '../../application/ports/event-repository.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { StoredEvent, StoredEventDetail } from '../../domain/stored-event.js';
import { idBounds, IDS_OF_EVENTS } from './created-between.js';
import { toDelivery } from './delivery.mapper.js';
import { DeliveryRow } from './delivery.row.js';
import { positionOfOld, SENT_AGAIN } from './sent-again.js';
import { managerOf } from './typeorm-transactions.js';

interface ListedRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly event: string;
  readonly created_at: Date;
  readonly delivery_count: number;
  readonly matched: number;
  readonly filtered: number;
  readonly is_test: boolean | null;
}

type DetailRow = ListedRow & { readonly payload: string | null; readonly filtered_by: string[] | null };

/* The tenant in a form that no index can serve: on a table without statistics one of the tenant alone would look as good. */
const OF_EVENT =
  'FROM webhook_deliveries d WHERE d.event_id = e.id AND d.tenant_id IS NOT DISTINCT FROM e.tenant_id';

/* Those of its own fan-out are as old as the event. */
const MATCHED = `(SELECT count(*)::int ${OF_EVENT} AND d.created_at = e.created_at) AS matched`;
const FILTERED = 'coalesce(cardinality(e.filtered_by), 0) AS filtered';

/* Filters of subscriptions that an event matches by its name, with its payload: none in most tenants. */
const LISTENING_FILTERS = `
SELECT s.id, s.filter, (SELECT e.payload::text FROM webhook_events e WHERE e.tenant_id = $1 AND e.id = $2) AS payload
  FROM webhook_subscriptions s
 WHERE s.tenant_id = $1 AND s.active AND s.filter IS NOT NULL
   AND s.id IN (SELECT l.id FROM webhook_listening($1, $3) AS l (id))`;

/*
 * One statement, so that a subscription which changes meanwhile is seen in one state. Existing deliveries come first. The
 * event is locked, so that retention does not remove it from under its new deliveries.
 */
const REPLAY = `
WITH target AS (
  SELECT s.tenant_id, s.id, s.url, s.settings FROM webhook_subscriptions s
   WHERE s.tenant_id = $4 AND s.active AND CASE WHEN $2::uuid IS NULL THEN s.id IN (SELECT l.id FROM webhook_listening($4, $3) AS l (id)) AND s.id <> ALL ($5)
        ELSE s.id = $2 END
), again AS (
  UPDATE webhook_deliveries d
     SET ${SENT_AGAIN}
    FROM target t
   WHERE d.tenant_id = t.tenant_id AND d.event_id = $1 AND d.subscription_id = t.id AND d.status <> 'SENDING'
  RETURNING d.id, d.subscription_id
), original AS MATERIALIZED (
  SELECT e.tenant_id, e.id, e.event, e.ordering_key FROM webhook_events e WHERE e.id = $1 FOR KEY SHARE
), fresh AS (
  INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, next_trigger, target_url, position, ordering_key)
    SELECT e.tenant_id, webhook_uuid_v7(), e.id, t.id, e.event, 'manual', t.url, ${positionOfOld('t.settings', 'e.ordering_key')}
      FROM target t JOIN original e ON e.tenant_id = t.tenant_id
  ON CONFLICT (tenant_id, event_id, subscription_id) DO NOTHING
  RETURNING id, subscription_id
)
SELECT t.tenant_id, t.id AS subscription_id, made.id
  FROM target t LEFT JOIN (SELECT * FROM again UNION ALL SELECT * FROM fresh) AS made ON made.subscription_id = t.id
 ORDER BY made.id`;

/** Every statement names the transaction's tenant: row-level security is the other line of defence, not the only one. */
@Injectable()
export class TypeormEventRepository extends EventRepository {
  override async list(
    transaction: Transaction,
    filter: EventFilter,
    limit: number,
    afterId: string | null,
  ): Promise<EventPage> {
    const values: unknown[] = [limit + 1, transaction.tenantId];
    const clause = (sql: string, value: unknown): string => {
      values.push(value);
      return ` AND ${sql}$${values.length}`;
    };
    const { from, to } = idBounds(filter, IDS_OF_EVENTS);
    const where =
      (filter.event === undefined ? '' : clause('e.event = ', filter.event)) +
      (filter.since === undefined ? '' : clause('e.created_at >= ', filter.since)) +
      (filter.until === undefined ? '' : clause('e.created_at < ', filter.until)) +
      (from === undefined ? '' : clause('e.id >= ', from)) +
      (to === undefined ? '' : clause('e.id < ', to)) +
      (afterId === null ? '' : clause('e.id < ', afterId)) +
      (filter.matched === undefined ? '' : ` AND ${filter.matched ? '' : 'NOT '}EXISTS (SELECT ${OF_EVENT})`);
    const rows = await managerOf(transaction).query<ListedRow[]>(
      `SELECT e.id, e.tenant_id, e.event, e.is_test, e.created_at, (SELECT count(*)::int ${OF_EVENT}) AS delivery_count, ${MATCHED}, ${FILTERED}
         FROM webhook_events e WHERE e.tenant_id = $2${where} ORDER BY e.id DESC LIMIT $1`,
      values,
    );
    return { events: rows.slice(0, limit).map(toStoredEvent), hasMore: rows.length > limit };
  }

  override async findDetail(transaction: Transaction, id: string): Promise<StoredEventDetail | null> {
    const manager = managerOf(transaction);
    const [row] = await manager.query<DetailRow[]>(
      `SELECT e.id, e.tenant_id, e.event, e.is_test, e.created_at, 0 AS delivery_count, 0 AS matched, ${FILTERED}, e.filtered_by,
              e.payload::text AS payload
         FROM webhook_events e WHERE e.tenant_id = $1 AND e.id = $2`,
      [transaction.tenantId, id],
    );
    if (row === undefined) return null;
    const rows = await manager
      .getRepository(DeliveryRow)
      .find({ where: { tenantId: row.tenant_id, eventId: id }, order: { id: 'ASC' } });
    return {
      ...toStoredEvent(row),
      deliveryCount: rows.length,
      matched: rows.filter(({ createdAt }) => createdAt.getTime() === row.created_at.getTime()).length,
      filteredBy: row.filtered_by ?? [],
      payload: row.payload,
      deliveries: rows.map(toDelivery),
    };
  }

  override async findReplayable(transaction: Transaction, id: string): Promise<ReplayableEvent | null> {
    const [row] = await managerOf(transaction).query<{ event: string; has_payload: boolean }[]>(
      'SELECT event, has_payload FROM webhook_events WHERE tenant_id = $1 AND id = $2',
      [transaction.tenantId, id],
    );
    return row === undefined ? null : { event: row.event, payloadExpired: !row.has_payload };
  }

  override async listeningFilters(
    transaction: Transaction,
    id: string,
    patterns: readonly string[],
  ): Promise<ListeningFilters | null> {
    const rows = await managerOf(transaction).query<{ id: string; filter: string; payload: string | null }[]>(
      LISTENING_FILTERS,
      [transaction.tenantId, id, patterns],
    );
    const payload = rows[0]?.payload ?? null;
    if (payload === null) return null;
    return { payload, filters: rows.map((row) => ({ subscriptionId: row.id, filter: row.filter })) };
  }

  override async replay(
    transaction: Transaction,
    id: string,
    target: ReplayTarget,
  ): Promise<ReplayedDeliveries> {
    const rows = await managerOf(transaction).query<
      { tenant_id: string; subscription_id: string; id: string | null }[]
    >(REPLAY, [
      id,
      target.kind === 'subscription' ? target.subscriptionId : null,
      target.kind === 'matching' ? target.patterns : null,
      transaction.tenantId,
      target.kind === 'matching' ? target.except : [],
    ]);
    return {
      targets: rows.length,
      deliveryIds: rows.flatMap(({ id: deliveryId }) => (deliveryId === null ? [] : [deliveryId])),
      lanes: rows.map((row) => ({ tenantId: row.tenant_id, subscriptionId: row.subscription_id })),
    };
  }
}

function toStoredEvent(row: ListedRow): StoredEvent {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    event: row.event,
    deliveryCount: row.delivery_count,
    matched: row.matched,
    filtered: row.filtered,
    isTest: row.is_test === true,
    createdAt: row.created_at,
  };
}
