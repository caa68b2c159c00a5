import { describe, expect, it } from '@jest/globals';

import {
  CANCELLED,
  SUBSCRIPTION_DEACTIVATED,
  type ClaimedDelivery,
} from '../../../src/modules/webhooks/domain/delivery.js';
import { transition, type Transition } from '../../../src/modules/webhooks/domain/delivery-transitions.js';
import type { AttemptResult } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import type { NextStep } from '../../../src/modules/webhooks/domain/retry-policy.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import { MAX_RETRIES, resultOf } from './attempts.js';
import { claimFrom, deliverEvents, LEASE_MS, subscribe, TENANT, type PersistenceHarness } from './harness.js';

const INTERRUPTED = 'Connection error: interrupted, the worker stopped before recording a result';

const start: Transition = { kind: 'start' };
const release: Transition = { kind: 'release' };
const requeue: Transition = { kind: 'requeue' };
const deactivated: Transition = { kind: 'end', lastError: SUBSCRIPTION_DEACTIVATED };
const cancelled: Transition = { kind: 'end', lastError: CANCELLED };
const reclaim: Transition = { kind: 'reclaim', lastError: INTERRUPTED, retries: MAX_RETRIES };
const delivered: Transition = { kind: 'settle', next: { status: 'DELIVERED' } };
const refused: Transition = {
  kind: 'settle',
  next: { status: 'FAILED', lastError: 'HTTP 404', deactivate: false },
};
const inVain: Transition = {
  kind: 'settle',
  next: { status: 'PENDING', lastError: 'HTTP 500', delayMs: 0, isFree: true },
};
const again: Transition = { kind: 'settle', next: { status: 'PENDING', lastError: 'HTTP 500', delayMs: 0 } };

const LIVES: readonly (readonly [string, readonly Transition[]])[] = [
  ['arrives, and is sent again', [start, delivered, requeue, start, delivered]],
  [
    'fails, is sent again, fails, and waits',
    [start, again, start, refused, requeue, start, again, start, delivered],
  ],
  [
    'is given back, new, as a retry, by hand',
    [start, release, start, again, start, release, requeue, start, release],
  ],
  ['is asked for while it waits', [start, again, requeue, start, delivered]],
  ['loses its process three times for nothing, and then not', [start, ...lost(3), ...lost(1), start, again]],
  ['loses its process until its schedule is used up', [start, ...lost(9)]],
  ['loses its process while sent by hand', [requeue, start, reclaim, start, again]],
  ['is a probe that fails, again and again', [start, inVain, start, inVain, start, delivered]],
  ['ends while it waits: new', [deactivated]],
  ['ends while it waits: as a retry', [start, again, deactivated, requeue]],
  ['is cancelled while it waits, and sent again', [cancelled, requeue, start, again, cancelled]],
  ['ends while it waits: by hand', [start, refused, requeue, deactivated]],
  ['ends where it was claimed', [start, { kind: 'end', lastError: 'Payload expired' }]],
  ['ends where it was claimed by hand', [requeue, start, { kind: 'end', lastError: 'Payload expired' }]],
];

/** A step that is free is that of a probe. */
function settledBy(next: NextStep): Partial<AttemptResult> {
  return { next, isProbe: next.status === 'PENDING' && next.isFree === true };
}

/** The process dies, and another claims, this often. */
function lost(times: number): Transition[] {
  return Array.from({ length: times }, () => [reclaim, start]).flat();
}

/** The statements do to a delivery what the transition table says. */
export function deliveryTransitionsContract(current: () => PersistenceHarness): void {
  describe('transitions of a delivery', () => {
    let claim: ClaimedDelivery | null = null;

    const act = async (lane: Lane, id: string, what: Transition): Promise<void> => {
      const { lanes, transactions, subscriptions, deliveries } = current();
      if (what.kind === 'start') {
        claim = (await claimFrom(lanes, lane, 1))[0] ?? null;
      } else if (what.kind === 'requeue') {
        await transactions.run(TENANT, (transaction) => deliveries.requeueManually(transaction, id));
      } else if (what.kind === 'reclaim') {
        await current().elapse(LEASE_MS + 1_000);
        await lanes.sweep(what.retries, 10);
      } else if (what.kind === 'end' && what.lastError === CANCELLED) {
        await transactions.run(TENANT, async (transaction) => {
          const found = await deliveries.findForUpdate(transaction, id);
          await deliveries.end(transaction, found!, CANCELLED);
        });
      } else if (what.kind === 'end' && claim === null) {
        await transactions.run(TENANT, (transaction) =>
          subscriptions.deactivate(transaction, lane.subscriptionId, 'why'),
        );
      } else if (claim !== null) {
        if (what.kind === 'settle') await lanes.record(resultOf(claim, settledBy(what.next)));
        else if (what.kind === 'release') await lanes.release([claim]);
        else await lanes.abandon([claim], what.lastError);
      }
      if (what.kind !== 'start') claim = null;
    };

    // Red when a statement and the table differ in any field: break one of either.
    it.each(LIVES)('one that %s', async (_life, steps) => {
      claim = null;
      const lane = await subscribe(current());
      const [id] = await deliverEvents(current(), 1);
      let state = await current().stateOf(id!);
      for (const [n, step] of steps.entries()) {
        const expected = transition(state, step);
        // Where the table allows nothing, nothing is there to be claimed.
        await act(lane, id!, step);
        state = await current().stateOf(id!);
        if (expected !== null)
          expect({ n, step: step.kind, ...state }).toEqual({ n, step: step.kind, ...expected });
        if (expected === null) return;
      }
    });
  });
}
