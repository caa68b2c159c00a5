import { Injectable } from '@nestjs/common';

import { IdGenerator } from '../../../../platform/kernel/id-generator.js';
import { DeliverySettings } from '../../application/delivery-settings.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import { TestDeliveries, type TestEvent } from '../../application/ports/test-deliveries.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { ClaimedDelivery } from '../../domain/delivery.js';
import { managerOf } from './typeorm-transactions.js';

/** More than any schedule has: a failed test is not tried again. */
const NO_ATTEMPT_LEFT = 10_000;

/** Of no circuit: what a test comes to counts for nothing, but its success makes a probe due, as that of any old attempt. */
const NO_EPOCH = -1;

const ALONE = `SELECT pg_advisory_xact_lock(hashtextextended('webhooks: test ' || $1, 0))`;

/* By the index of tests, which are few. */
const AGES = `
SELECT extract(epoch FROM clock_timestamp() - e.created_at)::float8 * 1000 AS age_ms
  FROM webhook_events e
  JOIN webhook_deliveries d ON d.event_id = e.id AND d.subscription_id = $2 AND d.tenant_id = e.tenant_id
 WHERE e.is_test AND e.tenant_id = $1 AND e.created_at > clock_timestamp() - interval '1 minute'
 ORDER BY e.created_at DESC`;

/*
 * The lease is of no process: it ends with its time alone, because a process that serves the API gives no sign of life. A
 * test that its process did not live to see the end of is made once more, by a worker.
 */
const STORE = `
WITH target AS (
  SELECT s.tenant_id, s.id, s.url, s.secret, s.settings,
         CASE WHEN s.previous_secret_expires_at > now() THEN s.previous_secret END AS previous_secret
    FROM webhook_subscriptions s WHERE s.tenant_id = $1 AND s.id = $2 AND s.active
), stored AS (
  INSERT INTO webhook_events (tenant_id, id, event, payload, is_test)
    SELECT t.tenant_id, $3, $4, $5::json, true FROM target t
), made AS (
  INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, target_url, status, attempts, auto_attempts,
                                  next_trigger, lease_token, leased_until)
    SELECT t.tenant_id, webhook_uuid_v7(), $3, t.id, $4, t.url, 'SENDING', 1, ${NO_ATTEMPT_LEFT}, 'manual', $6,
           now() + webhook_lease_ms(t.settings, $7, $8) * interval '1 millisecond'
      FROM target t
  RETURNING id
)
SELECT m.id, t.url, t.secret, t.previous_secret, t.settings::text AS settings FROM target t CROSS JOIN made m`;

interface StoredRow {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly previous_secret: string | null;
  readonly settings: string | null;
}

@Injectable()
export class TypeormTestDeliveries extends TestDeliveries {
  constructor(
    private readonly ids: IdGenerator,
    private readonly settings: DeliverySettings,
  ) {
    super();
  }

  override async agesMs(transaction: Transaction, subscriptionId: string): Promise<readonly number[]> {
    const manager = managerOf(transaction);
    // A statement of its own: what the test before this one committed has to be visible.
    await manager.query(ALONE, [subscriptionId]);
    const rows = await manager.query<{ age_ms: number }[]>(AGES, [transaction.tenantId, subscriptionId]);
    return rows.map(({ age_ms: ageMs }) => ageMs);
  }

  override async store(transaction: Transaction, event: TestEvent): Promise<ClaimedDelivery | null> {
    const { tenantId } = transaction;
    const leaseToken = this.ids.next();
    const [row] = await managerOf(transaction).query<StoredRow[]>(STORE, [
      ...[tenantId, event.subscriptionId, event.id, event.event, event.payload, leaseToken],
      ...[this.settings.timeoutMs + ENGINE_LIMITS.leaseMarginMs, ENGINE_LIMITS.leaseMarginMs],
    ]);
    if (row === undefined) return null;
    return {
      id: row.id,
      tenantId,
      subscriptionId: event.subscriptionId,
      eventId: event.id,
      event: event.event,
      payload: event.payload,
      attemptNumber: 1,
      autoAttempts: NO_ATTEMPT_LEFT,
      trigger: 'manual',
      isRetry: false,
      waitMs: 0,
      epoch: NO_EPOCH,
      isProbe: false,
      leaseToken,
      targetUrl: row.url,
      sealedSecret: row.secret,
      sealedPreviousSecret: row.previous_secret,
      settings: row.settings,
      payloadExpired: false,
      subscriptionActive: true,
    };
  }
}
