import { Injectable } from '@nestjs/common';

import { SubscriptionSecrets, type PreviousSecret } from '../../application/ports/subscription-secrets.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { Subscription } from '../../domain/subscription.js';
import { laneStates } from './lane-states.js';
import { toSubscription } from './subscription.mapper.js';
import { SubscriptionRow } from './subscription.row.js';
import { managerOf } from './typeorm-transactions.js';

const ROTATE = `
UPDATE webhook_subscriptions
   SET secret = $2, previous_secret = $3,
       previous_secret_expires_at = now() + $4::float8 * interval '1 hour',
       secret_rotated_at = now(), updated_at = now()
 WHERE id = $1 AND tenant_id = $5`;

/** Every statement names the transaction's tenant: row-level security is the other line of defence, not the only one. */
@Injectable()
export class TypeormSubscriptionSecrets extends SubscriptionSecrets {
  override async lock(transaction: Transaction, id: string): Promise<string | null> {
    const rows = await managerOf(transaction).query<{ secret: string }[]>(
      'SELECT secret FROM webhook_subscriptions WHERE tenant_id = $1 AND id = $2 FOR UPDATE',
      [transaction.tenantId, id],
    );
    return rows[0]?.secret ?? null;
  }

  override async rotate(
    transaction: Transaction,
    id: string,
    sealedSecret: string,
    previous: PreviousSecret | null,
  ): Promise<Subscription> {
    const manager = managerOf(transaction);
    const { tenantId } = transaction;
    await manager.query(ROTATE, [
      id,
      sealedSecret,
      previous?.sealed ?? null,
      previous?.overlapHours ?? null,
      tenantId,
    ]);
    const row = await manager.getRepository(SubscriptionRow).findOneByOrFail({ tenantId, id });
    return toSubscription(row, await laneStates(transaction, id));
  }
}
