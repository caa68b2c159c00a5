import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

import { retriedTransaction } from './retried-transaction.js';
import { TENANT_ROLE } from './roles.js';

/**
 * Opens a transaction that sees the rows of one tenant alone: row-level security is on, whatever role the connection
 * logged in with. Role and tenant are local to the transaction, so nothing is left on the pooled connection.
 *
 * @example `await tenants.run('acme', async (manager) => { await manager.save(invoice); })`
 */
@Injectable()
export class TenantTransaction {
  constructor(private readonly dataSource: DataSource) {}

  /** Commits when `work` resolves, rolls back when it throws; see {@link retriedTransaction}. */
  async run<T>(tenantId: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return retriedTransaction(this.dataSource, async (manager) => {
      await manager.query(
        `SELECT set_config('role', $1, true), set_config('app.current_tenant_id', $2, true)`,
        [TENANT_ROLE, tenantId],
      );
      return work(manager);
    });
  }
}
