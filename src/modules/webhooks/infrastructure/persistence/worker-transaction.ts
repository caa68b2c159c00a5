import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

import { retriedTransaction } from '../../../../platform/database/retried-transaction.js';
import { WORKER_ROLE } from '../../../../platform/database/roles.js';

/** Transactions of the engine: they see every tenant's due-list, under a role that may do nothing else. */
@Injectable()
export class WorkerTransaction {
  constructor(private readonly dataSource: DataSource) {}

  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return retriedTransaction(this.dataSource, async (manager) => {
      await manager.query(`SELECT set_config('role', $1, true)`, [WORKER_ROLE]);
      return work(manager);
    });
  }
}
