import { Injectable } from '@nestjs/common';

import {
  AuditTrail,
  type AuditFilter,
  type AuditPage,
  type NewAuditEntry,
} from '../../application/ports/audit-trail.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { AuditEntry } from '../../domain/audit.js';
import { AuditRow } from './audit.row.js';
import { managerOf } from './typeorm-transactions.js';

const RECORD = `
INSERT INTO webhook_audit (tenant_id, actor_type, actor, action, resource_type, resource_id, details, request_id)
VALUES ($1, 'token', $2, $3, $4, $5, $6, $7)`;

/** Every statement names the transaction's tenant: row-level security is the other line of defence, not the only one. */
@Injectable()
export class TypeormAuditTrail extends AuditTrail {
  override async record(transaction: Transaction, entry: NewAuditEntry): Promise<void> {
    const { sessionId } = entry.actor;
    await managerOf(transaction).query(RECORD, [
      entry.tenantId,
      entry.actor.subject,
      entry.action,
      entry.resourceType,
      entry.resourceId,
      JSON.stringify(
        sessionId === undefined ? entry.details : { ...entry.details, panel_session: sessionId },
      ),
      entry.actor.requestId,
    ]);
  }

  override async list(
    transaction: Transaction,
    filter: AuditFilter,
    limit: number,
    afterId: string | null,
  ): Promise<AuditPage> {
    const query = managerOf(transaction)
      .createQueryBuilder(AuditRow, 'a')
      .where('a.tenant_id = :tenantId', { tenantId: transaction.tenantId });
    const { action, resourceType, resourceId, actor, since, until } = filter;
    if (action !== undefined) query.andWhere('a.action = :action', { action });
    if (resourceType !== undefined) query.andWhere('a.resource_type = :resourceType', { resourceType });
    if (resourceId !== undefined) query.andWhere('a.resource_id = :resourceId', { resourceId });
    if (actor !== undefined) query.andWhere('a.actor = :actor', { actor });
    if (since !== undefined) query.andWhere('a.at >= :since', { since });
    if (until !== undefined) query.andWhere('a.at < :until', { until });
    if (afterId !== null) query.andWhere('a.id < :afterId', { afterId });
    // One more than asked for tells whether another page follows.
    const rows = await query
      .orderBy('a.id', 'DESC')
      .limit(limit + 1)
      .getMany();
    return { entries: rows.slice(0, limit).map(toEntry), hasMore: rows.length > limit };
  }
}

function toEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    actorType: row.actorType,
    actor: row.actor,
    action: row.action,
    resourceType: row.resourceType,
    resourceId: row.resourceId,
    details: row.details,
    requestId: row.requestId,
  };
}
