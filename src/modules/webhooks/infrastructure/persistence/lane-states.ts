import type { Transaction } from '../../application/ports/transaction.js';
import type { CircuitState } from '../../domain/gates/circuit.js';
import { CLOSED_ENDPOINT, type Subscription } from '../../domain/subscription.js';
import { managerOf } from './typeorm-transactions.js';

/** What a subscription shows of its lane. */
export type LaneState = Pick<Subscription, 'isPaused' | 'circuit'>;

export const USUAL_STATE: LaneState = { isPaused: false, circuit: CLOSED_ENDPOINT };

interface StateRow {
  readonly subscription_id: string;
  readonly is_paused: boolean;
  readonly circuit_state: CircuitState;
  readonly circuit_cause: string | null;
  readonly circuit_opened_at: Date | null;
  readonly next_probe_at: Date | null;
  readonly failures: number;
}

/* Those with anything to show: most lanes have nothing. */
const STATES = `
SELECT subscription_id, paused_at IS NOT NULL AS is_paused, circuit_state, circuit_cause, circuit_opened_at, next_probe_at, failures
  FROM webhook_lanes
 WHERE tenant_id = $1 AND (paused_at IS NOT NULL OR circuit_state <> 'closed' OR failures > 0)
   AND ($2::uuid IS NULL OR subscription_id = $2)`;

/** By the ids of a tenant's subscriptions, or of the one with `id`; those that are left out are as usual. */
export async function laneStates(
  transaction: Transaction,
  id: string | null = null,
): Promise<ReadonlyMap<string, LaneState>> {
  const rows = await managerOf(transaction).query<StateRow[]>(STATES, [transaction.tenantId, id]);
  return new Map(rows.map((row) => [row.subscription_id, stateOf(row)]));
}

function stateOf(row: StateRow): LaneState {
  return {
    isPaused: row.is_paused,
    circuit: {
      state: row.circuit_state,
      cause: row.circuit_cause,
      openedAt: row.circuit_opened_at,
      nextProbeAt: row.circuit_state === 'open' ? row.next_probe_at : null,
      failures: row.failures,
    },
  };
}
