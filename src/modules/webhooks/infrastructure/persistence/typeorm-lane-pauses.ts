import { Injectable } from '@nestjs/common';

import { LanePauses } from '../../application/ports/lane-pauses.js';
import type { Transaction } from '../../application/ports/transaction.js';
import { managerOf } from './typeorm-transactions.js';

const SET = `
WITH changed AS (
  UPDATE webhook_lanes SET paused_at = CASE WHEN $3 THEN now() END
   WHERE tenant_id = $1 AND subscription_id = $2 AND (paused_at IS NOT NULL) <> $3
  RETURNING subscription_id
)
SELECT subscription_id FROM changed`;

@Injectable()
export class TypeormLanePauses extends LanePauses {
  /** Waits for whoever opens the lane at this instant: nothing is claimed any more once the transaction has committed. */
  override async set(transaction: Transaction, subscriptionId: string, isPaused: boolean): Promise<boolean> {
    const rows = await managerOf(transaction).query<unknown[]>(SET, [
      transaction.tenantId,
      subscriptionId,
      isPaused,
    ]);
    return rows.length === 1;
  }
}
