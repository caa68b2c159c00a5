import type { Transaction } from '../../application/ports/transaction.js';
import type { Delivery, Hold } from '../../domain/delivery.js';
import type { CircuitState } from '../../domain/gates/circuit.js';
import { laneHold, type ShownLane } from '../../domain/gates/lane-hold.js';
import { fromStoredRate, type StoredSettings } from '../../domain/subscription-settings.js';
import { blockersOf, type Blocker } from './order-blockers.js';
import { managerOf } from './typeorm-transactions.js';

interface GatedRow {
  readonly subscription_id: string;
  readonly is_paused: boolean;
  readonly circuit_state: CircuitState;
  readonly next_probe_at: Date | null;
  readonly held_until: Date | null;
  readonly rate_next_at: Date | null;
  readonly rate_limit: NonNullable<StoredSettings['rate_limit']> | null;
  readonly is_ordered: boolean;
  readonly max_wait_ms: number | null;
  readonly now: Date;
}

/* Those that may keep something back: most lanes do not. */
const GATED = `
SELECT l.subscription_id, l.paused_at IS NOT NULL AS is_paused, l.circuit_state, l.next_probe_at, l.held_until,
       l.rate_next_at, s.settings -> 'rate_limit' AS rate_limit,
       coalesce(s.settings ->> 'ordering' = 'fifo', false) AS is_ordered, (s.settings #>> '{batch,max_wait_ms}')::int AS max_wait_ms, now() AS now
  FROM webhook_lanes l JOIN webhook_subscriptions s ON s.tenant_id = l.tenant_id AND s.id = l.subscription_id
 WHERE l.tenant_id = $1 AND l.subscription_id = ANY ($2::uuid[])
   AND (l.paused_at IS NOT NULL OR l.circuit_state <> 'closed' OR l.held_until IS NOT NULL OR s.settings -> 'rate_limit' IS NOT NULL
        OR s.settings -> 'ordering' IS NOT NULL
        OR s.settings -> 'batch' IS NOT NULL)`;

/** Deliveries with what keeps them back because of their lane; what waits for nothing of it stays as it is. */
export async function withLaneHolds<T extends Delivery>(
  transaction: Transaction,
  deliveries: readonly T[],
): Promise<T[]> {
  const waiting = deliveries.filter(({ status }) => status === 'PENDING');
  if (waiting.length === 0) return [...deliveries];
  const rows = await managerOf(transaction).query<GatedRow[]>(GATED, [
    transaction.tenantId,
    [...new Set(waiting.map(({ subscriptionId }) => subscriptionId))],
  ]);
  const gated = new Map(rows.map((row) => [row.subscription_id, row]));
  const ordered = waiting.filter(({ subscriptionId }) => gated.get(subscriptionId)?.is_ordered === true);
  const blockers = await blockersOf(
    transaction,
    ordered.map(({ id }) => id),
  );
  return deliveries.map((delivery) => {
    const row = gated.get(delivery.subscriptionId);
    if (row === undefined) return delivery;
    return { ...delivery, hold: holdOf(delivery, row, blockers.get(delivery.id) ?? null) ?? delivery.hold };
  });
}

function holdOf({ status, nextAttemptAt }: Delivery, row: GatedRow, blocker: Blocker | null): Hold | null {
  if (status !== 'PENDING' || nextAttemptAt === null) return null;
  return laneHold(toShownLane(row), nextAttemptAt.getTime(), row.now.getTime(), blocker);
}

function toShownLane(row: GatedRow): ShownLane {
  return {
    maxWaitMs: row.max_wait_ms,
    isPaused: row.is_paused,
    circuit: { state: row.circuit_state, nextProbeAtMs: row.next_probe_at?.getTime() ?? null, ramp: null },
    heldUntilMs: row.held_until?.getTime() ?? null,
    rateLimit: row.rate_limit === null ? null : fromStoredRate(row.rate_limit),
    rateNextAtMs: row.rate_next_at?.getTime() ?? null,
  };
}
