import { expect } from '@jest/globals';

import type {
  AttemptResult,
  CircuitTurn,
  DeliveryLanes,
  OpenedLane,
} from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import type { Transaction } from '../../../src/modules/webhooks/application/ports/transaction.js';
import type { ClaimedDelivery } from '../../../src/modules/webhooks/domain/delivery.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import type { EndpointCircuit, Subscription } from '../../../src/modules/webhooks/domain/subscription.js';
import { resultOf } from './attempts.js';
import { claimFrom, deliverEvents, TENANT, type PersistenceHarness } from './harness.js';

/** Milliseconds from the opening of a circuit to its first probe. */
export const SOON_MS = 30_000;

/** A failed attempt that is not tried again. */
export const REFUSED: Partial<AttemptResult> = {
  ...{ statusCode: 404, errorClass: 'http_4xx', error: 'HTTP 404' },
  next: { status: 'FAILED', lastError: 'HTTP 404', deactivate: false },
};
/** A probe that failed: the delivery waits on. */
export const IN_VAIN: Partial<AttemptResult> = {
  ...{ statusCode: 503, errorClass: 'http_5xx', error: 'HTTP 503' },
  next: { status: 'PENDING', lastError: 'HTTP 503', delayMs: 0, isFree: true },
};

/** What the suites of circuits do to a lane. */
export interface CircuitActions {
  subscription(lane: Lane): Promise<Subscription>;
  circuit(lane: Lane): Promise<EndpointCircuit>;
  record(claim: ClaimedDelivery, change?: Partial<AttemptResult>): Promise<CircuitTurn[]>;
  /** Deliveries that end one after the other: `F` and `S`. @returns what became of the circuit */
  attempts(lane: Lane, outcomes: string): Promise<CircuitTurn[]>;
  open(lane: Lane): Promise<void>;
  claim(lane: Lane, limit?: number): Promise<OpenedLane>;
  /** The probe, when it is time for one. */
  probe(lane: Lane, lanes?: DeliveryLanes): Promise<ClaimedDelivery>;
  act(work: CircuitWork, lane: Lane, id?: string): Promise<boolean>;
}

export type CircuitWork = 'reset' | 'probeSoon' | 'probeFirst';

/** What a tenant does to a circuit, whatever tenant that is. */
export async function turnCircuit(
  { circuits }: PersistenceHarness,
  work: CircuitWork,
  transaction: Transaction,
  { subscriptionId }: Lane,
  id?: string,
): Promise<boolean> {
  if (work === 'reset') return circuits.reset(transaction, subscriptionId, 'Reset by hand');
  return circuits[work](transaction, subscriptionId, id);
}

export function circuitActions(current: () => PersistenceHarness): CircuitActions {
  const subscription = async (lane: Lane): Promise<Subscription> => {
    const found = await current().transactions.run(lane.tenantId, (transaction) =>
      current().subscriptions.find(transaction, lane.subscriptionId),
    );
    return found!;
  };
  const circuit = async (lane: Lane): Promise<EndpointCircuit> => (await subscription(lane)).circuit;
  const record = async (
    claim: ClaimedDelivery,
    change: Partial<AttemptResult> = {},
  ): Promise<CircuitTurn[]> => [...(await current().lanes.record(resultOf(claim, change))).turns];
  const attempts = async (lane: Lane, outcomes: string): Promise<CircuitTurn[]> => {
    const turns: CircuitTurn[] = [];
    for (const outcome of outcomes) {
      await deliverEvents(current(), 1);
      const [claim] = await claimFrom(current().lanes, lane, 1);
      turns.push(...(await record(claim!, outcome === 'S' ? {} : REFUSED)));
    }
    return turns;
  };
  const open = async (lane: Lane): Promise<void> => {
    expect(await attempts(lane, 'F'.repeat(10))).toEqual(['opened']);
  };
  const claim = async (lane: Lane, limit = 5): Promise<OpenedLane> => current().lanes.claim(lane, { limit });
  const probe = async (lane: Lane, lanes = current().lanes): Promise<ClaimedDelivery> => {
    const { claims } = await lanes.claim(lane, { limit: 5 });
    expect(claims).toMatchObject([{ isProbe: true }]);
    return claims[0]!;
  };
  const act = async (work: CircuitWork, lane: Lane, id?: string): Promise<boolean> =>
    current().transactions.run(TENANT, (transaction) => turnCircuit(current(), work, transaction, lane, id));
  return { subscription, circuit, record, attempts, open, claim, probe, act };
}
