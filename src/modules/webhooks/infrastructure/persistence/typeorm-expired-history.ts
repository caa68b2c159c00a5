import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { ExpiredHistory, type RemovedHistory } from '../../application/ports/expired-history.js';
import { WorkerTransaction } from './worker-transaction.js';

/** One process at a time: two that remove would only wait for each other's rows. */
const LOCK = `SELECT pg_try_advisory_xact_lock(hashtextextended('webhooks: removal of old history', 0)) AS locked`;

/* Not yet to be removed: an attempt is to come, or somebody replayed the old event not long ago. */
const KEPT = `
EXISTS (SELECT FROM webhook_deliveries d
         WHERE d.tenant_id = e.tenant_id AND d.event_id = e.id
           AND (d.status IN ('PENDING', 'SENDING') OR d.created_at >= now() - $1::int * interval '1 day'))`;

/** The oldest of both halves of the index; one scan over both would have to sort them all. */
function oldest(hasPayload: boolean): string {
  return `(SELECT e.tenant_id, e.id, e.created_at FROM webhook_events e
            WHERE e.has_payload = ${hasPayload} AND e.created_at < now() - $1::int * interval '1 day' AND NOT ${KEPT}
            ORDER BY e.created_at LIMIT $2::int)`;
}

/*
 * Locked in a statement of its own, before anything is decided: from here on no delivery can be added to these events
 * (a replay locks its event as well, and would wait for us), and the statements that follow see every one that was. An event which gets a
 * delivery at this moment is skipped.
 */
function lockOldest(candidates: string): string {
  return `
WITH candidate AS MATERIALIZED (SELECT * FROM (${candidates}) AS c ORDER BY created_at LIMIT $2::int)
SELECT e.tenant_id, e.id FROM webhook_events e JOIN candidate c ON c.tenant_id = e.tenant_id AND c.id = e.id
   FOR UPDATE OF e SKIP LOCKED`;
}

const LOCK_EXPIRED = lockOldest(`${oldest(false)} UNION ALL ${oldest(true)}`);
const LOCK_WITH_PAYLOAD = lockOldest(oldest(true));

/* The status is asked again where the row is deleted: one that is retried at this moment stays, and so does its event. */
const DELETE_DELIVERIES = `
WITH removed AS (
  DELETE FROM webhook_deliveries d
   USING (SELECT x.tenant_id, x.id FROM unnest($1::text[], $2::uuid[]) AS e (tenant_id, id)
            JOIN webhook_deliveries x ON x.tenant_id = e.tenant_id AND x.event_id = e.id
           LIMIT $3::int) AS old
   WHERE d.tenant_id = old.tenant_id AND d.id = old.id AND d.status IN ('DELIVERED', 'FAILED')
  RETURNING d.tenant_id, d.id
), attempts AS (
  DELETE FROM webhook_attempts a USING removed r WHERE a.tenant_id = r.tenant_id AND a.delivery_id = r.id
)
SELECT count(*)::int AS count FROM removed`;

const DELETE_EVENTS = `
WITH removed AS (
  DELETE FROM webhook_events e
   USING unnest($1::text[], $2::uuid[]) AS old (tenant_id, id)
   WHERE e.tenant_id = old.tenant_id AND e.id = old.id
     AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.tenant_id = e.tenant_id AND d.event_id = e.id)
  RETURNING 1
)
SELECT count(*)::int AS count FROM removed`;

const DELETE_PAYLOADS = `
WITH removed AS (
  UPDATE webhook_events e SET payload = NULL, has_payload = false
    FROM unnest($2::text[], $3::uuid[]) AS old (tenant_id, id)
   WHERE e.tenant_id = old.tenant_id AND e.id = old.id AND NOT ${KEPT}
  RETURNING 1
)
SELECT count(*)::int AS count FROM removed`;

interface EventKey {
  readonly tenant_id: string;
  readonly id: string;
}

/** Over all tenants, in the worker's role. */
@Injectable()
export class TypeormExpiredHistory extends ExpiredHistory {
  constructor(private readonly transactions: WorkerTransaction) {
    super();
  }

  override async remove(olderThanDays: number, limit: number): Promise<RemovedHistory | null> {
    return this.alone(async (manager) => {
      const events = await manager.query<EventKey[]>(LOCK_EXPIRED, [olderThanDays, limit]);
      if (events.length === 0) return { events: 0, deliveries: 0 };
      return {
        deliveries: await count(manager, DELETE_DELIVERIES, [...keysOf(events), limit]),
        events: await count(manager, DELETE_EVENTS, keysOf(events)),
      };
    });
  }

  override async removePayloads(olderThanDays: number, limit: number): Promise<number | null> {
    return this.alone(async (manager) => {
      const events = await manager.query<EventKey[]>(LOCK_WITH_PAYLOAD, [olderThanDays, limit]);
      if (events.length === 0) return 0;
      return count(manager, DELETE_PAYLOADS, [olderThanDays, ...keysOf(events)]);
    });
  }

  private async alone<T>(work: (manager: EntityManager) => Promise<T>): Promise<T | null> {
    return this.transactions.run(async (manager) => {
      const [lock] = await manager.query<{ locked: boolean }[]>(LOCK);
      return lock?.locked === true ? work(manager) : null;
    });
  }
}

function keysOf(events: readonly EventKey[]): [string[], string[]] {
  return [events.map((event) => event.tenant_id), events.map((event) => event.id)];
}

async function count(manager: EntityManager, sql: string, parameters: unknown[]): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(sql, parameters);
  return row?.count ?? 0;
}
