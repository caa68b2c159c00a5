import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { LaneCircuits, type ResetReason } from '../../application/ports/lane-circuits.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { ClaimedDelivery } from '../../domain/delivery.js';
import { FIRST_PROBE_MS } from '../../domain/gates/circuit.js';
import { managerOf } from './typeorm-transactions.js';

/* Each as the function of its name in domain/gates/circuit.ts. They wait for whoever opens or settles the lane at this instant. */

/* And what the endpoint asked for is forgotten with it. Whoever was told that it failed is told that this is over. */
const RESET = turning(
  `before.state <> 'closed' OR coalesce(before.held > now(), false)`,
  `UPDATE webhook_lanes
   SET circuit_state = 'closed', circuit_cause = NULL, circuit_opened_at = NULL, next_probe_at = NULL, probe_wait_ms = NULL,
       probe_id = NULL, next_probe_id = NULL, failures = 0, failing_since = NULL,
       ramp = CASE WHEN circuit_state = 'closed' THEN ramp ELSE 1 END,
       recent_bucket = NULL, recent_attempts = NULL, recent_failed = NULL, counted_from = now(), held_until = NULL,
       epoch = epoch + 1
  FROM before WHERE tenant_id = before.of_tenant AND subscription_id = before.of_lane`,
  `CASE WHEN state <> 'closed' THEN webhook_note($1, $2, 'recovered', json_build_object('reason', $3::text), 1) END AS noted`,
);

const PROBE_SOON = turning(
  `before.state = 'open' AND before.probe_at > now()`,
  `UPDATE webhook_lanes
   SET next_probe_id = coalesce($3::uuid, next_probe_id),
       next_probe_at = CASE WHEN circuit_state = 'open' THEN least(next_probe_at, now()) ELSE next_probe_at END
  FROM before WHERE tenant_id = before.of_tenant AND subscription_id = before.of_lane AND circuit_state <> 'closed'`,
);

const PROBE_FIRST = turning(
  `true`,
  `UPDATE webhook_lanes
   SET circuit_state = 'half_open', circuit_opened_at = coalesce(circuit_opened_at, now()), next_probe_at = now(),
       probe_wait_ms = ${FIRST_PROBE_MS}, probe_id = NULL, next_probe_id = NULL, failing_since = NULL, epoch = epoch + 1
  FROM before WHERE tenant_id = before.of_tenant AND subscription_id = before.of_lane`,
);

const END_PROBES = `
UPDATE webhook_lanes l SET circuit_state = 'open', next_probe_at = now(), probe_id = NULL
  FROM unnest($1::text[], $2::uuid[], $3::uuid[]) AS p (tenant_id, subscription_id, delivery_id)
 WHERE l.tenant_id = p.tenant_id AND l.subscription_id = p.subscription_id AND l.probe_id = p.delivery_id`;

@Injectable()
export class TypeormLaneCircuits extends LaneCircuits {
  override async reset(
    transaction: Transaction,
    subscriptionId: string,
    reason: ResetReason,
  ): Promise<boolean> {
    return turn(transaction, RESET, [subscriptionId, reason]);
  }

  override async probeSoon(
    transaction: Transaction,
    subscriptionId: string,
    deliveryId?: string,
  ): Promise<boolean> {
    return turn(transaction, PROBE_SOON, [subscriptionId, deliveryId ?? null]);
  }

  override async probeFirst(transaction: Transaction, subscriptionId: string): Promise<boolean> {
    return turn(transaction, PROBE_FIRST, [subscriptionId]);
  }
}

/**
 * @param wasKeptBack of the lane as it was, locked: what an update returns is as it is then
 * @param following what follows from it, by the lane's state of before
 */
function turning(wasKeptBack: string, update: string, following = 'NULL AS noted'): string {
  return `
WITH before AS MATERIALIZED (
  SELECT tenant_id AS of_tenant, subscription_id AS of_lane, circuit_state AS state, next_probe_at AS probe_at,
         held_until AS held
    FROM webhook_lanes WHERE tenant_id = $1 AND subscription_id = $2 FOR UPDATE
), changed AS (
  ${update} RETURNING ${wasKeptBack} AS turned, before.state
)
SELECT turned, ${following} FROM changed`;
}

async function turn(transaction: Transaction, sql: string, parameters: unknown[]): Promise<boolean> {
  const rows = await managerOf(transaction).query<{ turned: boolean }[]>(sql, [
    transaction.tenantId,
    ...parameters,
  ]);
  return rows[0]?.turned === true;
}

/** Probes that did not begin after all: others may, at once. */
export async function endProbes(manager: EntityManager, probes: readonly ClaimedDelivery[]): Promise<void> {
  await manager.query(END_PROBES, [
    probes.map(({ tenantId }) => tenantId),
    probes.map(({ subscriptionId }) => subscriptionId),
    probes.map(({ id }) => id),
  ]);
}
