import { Injectable } from '@nestjs/common';

import { AuditTrail, type AuditFilter, type AuditPage } from './ports/audit-trail.js';
import { TenantTransactions } from './ports/transaction.js';

@Injectable()
export class ReadAudit {
  constructor(
    private readonly transactions: TenantTransactions,
    private readonly trail: AuditTrail,
  ) {}

  /** Newest first; `afterId` is the last id of the page before. `limit` 1–100. */
  async list(
    tenantId: string,
    filter: AuditFilter,
    limit: number,
    afterId: string | null,
  ): Promise<AuditPage> {
    return this.transactions.run(tenantId, (transaction) =>
      this.trail.list(transaction, filter, limit, afterId),
    );
  }
}
