import { Injectable } from '@nestjs/common';

import { DeliveryChanges } from '../../application/ports/delivery-changes.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { Look, SeenDelivery } from '../../domain/change-feed.js';
import { managerOf } from './typeorm-transactions.js';

const SEEN = `d.id, d.subscription_id AS "subscriptionId", d.event, d.status, d.attempts,
  (extract(epoch FROM d.updated_at) * 1000000)::float8 + d.attempts AS version`;

/* Three pieces of indexes: the newest, what is not finished, and what is named. The cost does not follow what is stored. */
const LOOK = `
WITH newest AS (
  SELECT ${SEEN} FROM webhook_deliveries d WHERE d.tenant_id = $1 ORDER BY d.id DESC LIMIT $3
), others AS (
  (SELECT ${SEEN} FROM webhook_deliveries d
    WHERE d.tenant_id = $1 AND d.status || '' IN ('PENDING', 'SENDING') ORDER BY d.id DESC LIMIT $3)
  UNION
  SELECT ${SEEN} FROM webhook_deliveries d WHERE d.tenant_id = $1 AND d.id = ANY ($2::uuid[])
)
SELECT true AS "isNewest", n.* FROM newest n
UNION ALL
SELECT false, o.* FROM others o WHERE o.id NOT IN (SELECT n.id FROM newest n)
 ORDER BY 1 DESC, 2 DESC`;

type SeenRow = SeenDelivery & { readonly isNewest: boolean };

@Injectable()
export class TypeormDeliveryChanges extends DeliveryChanges {
  override async look(transaction: Transaction, watched: readonly string[], limit: number): Promise<Look> {
    const rows = await managerOf(transaction).query<SeenRow[]>(LOOK, [transaction.tenantId, watched, limit]);
    return {
      newest: rows.filter(({ isNewest }) => isNewest),
      others: rows.filter(({ isNewest }) => !isNewest),
    };
  }
}
