import { Injectable } from '@nestjs/common';
import { EntityManager } from 'typeorm';

import { TenantTransaction } from '../../../../platform/database/tenant-transaction.js';
import { TenantTransactions, type Transaction } from '../../application/ports/transaction.js';

/** The one place that wraps TypeORM's manager for the application, and the one that unwraps it. */
@Injectable()
export class TypeormTransactions extends TenantTransactions {
  constructor(private readonly tenants: TenantTransaction) {
    super();
  }

  override async run<T>(tenantId: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.tenants.run(tenantId, (manager) => work({ handle: manager, tenantId }));
  }
}

/** The TypeORM manager inside a transaction handle. */
export function managerOf(transaction: Transaction): EntityManager {
  if (transaction.handle instanceof EntityManager) return transaction.handle;
  throw new TypeError('This transaction was not opened by TypeORM');
}
