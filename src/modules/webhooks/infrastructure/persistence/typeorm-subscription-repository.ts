import { Injectable } from '@nestjs/common';
import { ArrayContains, type QueryDeepPartialEntity } from 'typeorm';

import { isDuplicate } from '../../../../platform/database/sqlstate.js';
import {
  SubscriptionRepository,
  type NewSubscription,
  type SubscriptionChange,
  type SubscriptionFilter,
} from '../../application/ports/subscription-repository.js';
import type { Transaction } from '../../application/ports/transaction.js';
import { WebhookError } from '../../domain/errors.js';
import { SUBSCRIPTION_DEACTIVATED } from '../../domain/delivery.js';
import { DEACTIVATED_BY_UPDATE, type Subscription } from '../../domain/subscription.js';
import {
  fromStoredSettings,
  toStoredSettings,
  type StoredSettings,
  type SubscriptionSettings,
} from '../../domain/subscription-settings.js';
import { beginOrder } from './begin-order.js';
import { laneStates, type LaneState } from './lane-states.js';
import { replanRate } from './replan-rate.js';
import { toSubscription } from './subscription.mapper.js';
import { SubscriptionRow } from './subscription.row.js';
import { managerOf } from './typeorm-transactions.js';

/** Held until the transaction ends, by one transaction of the tenant at a time. */
const COUNT_ALONE = `SELECT pg_advisory_xact_lock(hashtextextended('webhook_subscriptions of ' || $1::text, 0))`;

const DEACTIVATE = `
WITH deactivated AS (
  UPDATE webhook_subscriptions
     SET active = false, deactivated_at = now(), deactivation_reason = $2, updated_at = now()
   WHERE tenant_id = $3 AND id = $1 AND active
  RETURNING tenant_id, id
)
SELECT d.id, webhook_end_waiting(d.tenant_id, d.id, $4),
       webhook_note(d.tenant_id, d.id, 'disabled', json_build_object('reason', $2::text), 1)
  FROM deactivated d`;

const NONE: ReadonlyMap<string, LaneState> = new Map();

/** Every statement names the transaction's tenant: row-level security is the other line of defence, not the only one. */
@Injectable()
export class TypeormSubscriptionRepository extends SubscriptionRepository {
  override async insert(transaction: Transaction, subscription: NewSubscription): Promise<Subscription> {
    const rows = managerOf(transaction).getRepository(SubscriptionRow);
    const { settings, events, ...row } = subscription;
    await duplicateNamed(() =>
      rows.insert({
        ...row,
        ...listened(events),
        settings: settings === undefined ? null : toStoredSettings(settings),
      }),
    );
    return toSubscription(
      await rows.findOneByOrFail({ tenantId: subscription.tenantId, id: subscription.id }),
      NONE,
    );
  }

  override async find(transaction: Transaction, id: string): Promise<Subscription | null> {
    const { tenantId } = transaction;
    const row = await managerOf(transaction).getRepository(SubscriptionRow).findOneBy({ tenantId, id });
    return row === null ? null : toSubscription(row, await laneStates(transaction, id));
  }

  override async list(transaction: Transaction, filter: SubscriptionFilter): Promise<Subscription[]> {
    const { event, active } = filter;
    const of = { tenantId: transaction.tenantId, ...(active === undefined ? {} : { active }) };
    const rows = await managerOf(transaction)
      .getRepository(SubscriptionRow)
      .find({
        where:
          event === undefined
            ? of
            : [
                { ...of, event },
                { ...of, moreEvents: ArrayContains([event]) },
              ],
        order: { id: 'DESC' },
      });
    const lanes = await laneStates(transaction);
    return rows.map((row) => toSubscription(row, lanes));
  }

  override async update(
    transaction: Transaction,
    id: string,
    change: SubscriptionChange,
  ): Promise<Subscription | null> {
    const rows = managerOf(transaction).getRepository(SubscriptionRow);
    const settings =
      change.settings === undefined ? undefined : await this.settingsFor(transaction, id, change.settings);
    const set = {
      ...(change.events === undefined ? {} : listened(change.events)),
      ...(change.url === undefined ? {} : { url: change.url }),
      ...(change.description === undefined ? {} : { description: change.description }),
      ...(change.filter === undefined ? {} : { filter: change.filter }),
      ...(settings === undefined ? {} : { settings }),
      ...(change.sealedSecret === undefined ? {} : replacedSecret(change.sealedSecret)),
      ...(change.active === true ? { active: true, deactivatedAt: null, deactivationReason: null } : {}),
    };
    // First: an inactive one may have the URL of another.
    if (change.active === false) await this.deactivate(transaction, id, DEACTIVATED_BY_UPDATE);
    await duplicateNamed(() =>
      rows.update({ tenantId: transaction.tenantId, id }, { ...set, updatedAt: () => 'now()' }),
    );
    if (settings?.ordering === 'fifo') await beginOrder(transaction, id);
    if (settings !== undefined) await replanRate(transaction, id, fromStoredSettings(settings).rateLimit);
    return this.find(transaction, id);
  }

  /** Locks the row: of two changes at a time, each keeps what the other did. */
  private async settingsFor(
    transaction: Transaction,
    id: string,
    change: (current: SubscriptionSettings) => SubscriptionSettings,
  ): Promise<StoredSettings | null> {
    const row = await managerOf(transaction)
      .getRepository(SubscriptionRow)
      .findOne({
        where: { tenantId: transaction.tenantId, id },
        lock: { mode: 'pessimistic_write' },
      });
    return toStoredSettings(change(fromStoredSettings(row?.settings ?? null)));
  }

  override async countActive(transaction: Transaction): Promise<number> {
    const manager = managerOf(transaction);
    // Two statements: the count has to see what the last holder of the lock committed.
    await manager.query(COUNT_ALONE, [transaction.tenantId]);
    return manager.getRepository(SubscriptionRow).countBy({ tenantId: transaction.tenantId, active: true });
  }

  override async deactivate(transaction: Transaction, id: string, reason: string): Promise<boolean> {
    const rows = await managerOf(transaction).query<unknown[]>(DEACTIVATE, [
      id,
      reason,
      transaction.tenantId,
      SUBSCRIPTION_DEACTIVATED,
    ]);
    return rows.length === 1;
  }
}

/** At once: whoever replaces a secret that leaked does not want the old one to sign any longer. */
function replacedSecret(sealedSecret: string): QueryDeepPartialEntity<SubscriptionRow> {
  return {
    sealedSecret,
    sealedPreviousSecret: null,
    previousSecretExpiresAt: null,
    secretRotatedAt: () => 'now()',
  };
}

function listened([event = '', ...moreEvents]: readonly string[]): { event: string; moreEvents: string[] } {
  return { event, moreEvents };
}

/** The unique index decides about duplicates, also between parallel requests. */
async function duplicateNamed(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw isDuplicate(cause) ? new WebhookError('duplicate_subscription') : cause;
  }
}
