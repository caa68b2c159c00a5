import { Injectable } from '@nestjs/common';

import { Notices, type NoticeListener, type ToldEvent } from '../../application/ports/notices.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { Lane } from '../../domain/lane.js';
import type { Notice, NoticeKind } from '../../domain/operational-event.js';
import { managerOf } from './typeorm-transactions.js';
import { WorkerTransaction } from './worker-transaction.js';

const DUE_TENANTS = 'SELECT DISTINCT tenant_id FROM webhook_notices WHERE due_at <= now() LIMIT $1';

/* One process at a time for a tenant, so that they are told in their order. */
const ALONE = `SELECT pg_try_advisory_xact_lock(hashtextextended('webhooks: notices of ' || $1, 0)) AS mine`;

/* What is told of exhausted deliveries rests for a minute; then it is told again if there were more, or forgotten. */
const TAKE = `
WITH due AS (
  SELECT n.* FROM webhook_notices n WHERE n.tenant_id = $1 AND n.due_at <= now() ORDER BY n.id LIMIT $2 FOR UPDATE
), gone AS (
  DELETE FROM webhook_notices n USING due d
   WHERE n.tenant_id = d.tenant_id AND n.id = d.id AND (d.kind <> 'exhausted' OR d.count = 0)
), resting AS (
  UPDATE webhook_notices n SET count = 0, due_at = now() + interval '1 minute' FROM due d
   WHERE n.tenant_id = d.tenant_id AND n.id = d.id AND d.kind = 'exhausted' AND d.count > 0
)
SELECT d.kind, d.created_at, d.details, d.count, s.id, s.url, s.event, s.more_events
  FROM due d JOIN webhook_subscriptions s ON s.tenant_id = d.tenant_id AND s.id = d.subscription_id
 WHERE d.count > 0 ORDER BY d.id`;

const LISTENERS = `
SELECT s.id, s.filter FROM webhook_subscriptions s
 WHERE s.tenant_id = $1 AND s.active AND s.id <> $3 AND s.id IN (SELECT l.id FROM webhook_listening($1, $2) AS l (id))
 ORDER BY s.id`;

const STORE = `
WITH stored AS (
  INSERT INTO webhook_events (tenant_id, id, event, payload, filtered_by)
    VALUES ($1, $2, $3, $4::json, CASE WHEN cardinality($6::uuid[]) > 0 THEN $6::uuid[] END)
), made AS (
  INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url)
    SELECT s.tenant_id, webhook_uuid_v7(), $2, s.id, $3, s.url FROM webhook_subscriptions s
     WHERE s.tenant_id = $1 AND s.active AND s.id = ANY ($5::uuid[])
  RETURNING subscription_id
)
SELECT subscription_id FROM made`;

interface TakenRow {
  readonly kind: NoticeKind;
  readonly created_at: Date;
  readonly details: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly id: string;
  readonly url: string;
  readonly event: string;
  readonly more_events: string[];
}

@Injectable()
export class TypeormNotices extends Notices {
  constructor(private readonly worker: WorkerTransaction) {
    super();
  }

  override async dueTenants(limit: number): Promise<readonly string[]> {
    const rows = await this.worker.run((manager) =>
      manager.query<{ tenant_id: string }[]>(DUE_TENANTS, [limit]),
    );
    return rows.map(({ tenant_id: tenantId }) => tenantId);
  }

  override async take(transaction: Transaction, limit: number): Promise<readonly Notice[]> {
    const manager = managerOf(transaction);
    const { tenantId } = transaction;
    const [lock] = await manager.query<{ mine: boolean }[]>(ALONE, [tenantId]);
    if (lock?.mine !== true) return [];
    const rows = await manager.query<TakenRow[]>(TAKE, [tenantId, limit]);
    return rows.map(({ kind, created_at: at, details, count, id, url, event, more_events: more }) => ({
      ...{ kind, at, details, count },
      endpoint: { id, url, events: [event, ...more] },
    }));
  }

  override async listeners(
    transaction: Transaction,
    patterns: readonly string[],
    about: string,
  ): Promise<readonly NoticeListener[]> {
    return managerOf(transaction).query<NoticeListener[]>(LISTENERS, [transaction.tenantId, patterns, about]);
  }

  override async store(transaction: Transaction, told: ToldEvent): Promise<readonly Lane[]> {
    const { tenantId } = transaction;
    const { id, event, payload, to, filteredBy } = told;
    const rows = await managerOf(transaction).query<{ subscription_id: string }[]>(STORE, [
      ...[tenantId, id, event, payload, to, filteredBy],
    ]);
    return rows.map(({ subscription_id: subscriptionId }) => ({ tenantId, subscriptionId }));
  }
}
