import type { AttemptTrigger } from './attempt.js';
import { FREE_INTERRUPTIONS, SCHEDULE_OVER, type DeliveryStatus } from './delivery.js';
import type { NextStep } from './retry-policy.js';

/** What changes of a delivery in the course of its life, without times and leases. */
export interface DeliveryState {
  readonly status: DeliveryStatus;
  /** Attempts started. */
  readonly attempts: number;
  /** The automatic ones among them. */
  readonly autoAttempts: number;
  /** Of the attempt that is next, or under way. */
  readonly nextTrigger: AttemptTrigger;
  readonly isRetry: boolean;
  /** Attempts that ended with their process. */
  readonly interruptions: number;
  readonly lastError: string | null;
}

/** What happens to a delivery. Each has one statement of the database that does it. */
export type Transition =
  /** A claim: an attempt begins. */
  | { readonly kind: 'start' }
  /** The attempt is over. */
  | { readonly kind: 'settle'; readonly next: NextStep }
  /** The attempt does not begin after all. */
  | { readonly kind: 'release' }
  /** Nothing may be sent any more: while it waits, or where it was claimed already. */
  | { readonly kind: 'end'; readonly lastError: string }
  /** The lease ended, or the process that held it. `retries`: what its schedule has. */
  | { readonly kind: 'reclaim'; readonly lastError: string; readonly retries: number }
  /** Somebody wants it to be sent now. */
  | { readonly kind: 'requeue' };

/**
 * The transition table of a delivery: the rule that statements are held against.
 *
 * @returns null where nothing of the kind may happen in that state
 */
export function transition(from: DeliveryState, what: Transition): DeliveryState | null {
  const isSending = from.status === 'SENDING';
  const isWaiting = from.status === 'PENDING';
  switch (what.kind) {
    case 'start':
      return isWaiting ? started(from) : null;
    case 'settle':
      return isSending ? settled(from, what.next) : null;
    case 'release':
      return isSending ? { ...from, ...unstarted(from), status: 'PENDING' } : null;
    case 'end': {
      if (!isSending && !isWaiting) return null;
      const counts = isSending ? unstarted(from) : {};
      return { ...from, ...counts, status: 'FAILED', nextTrigger: 'auto', lastError: what.lastError };
    }
    case 'reclaim':
      return isSending ? reclaimed(from, what.lastError, what.retries) : null;
    case 'requeue':
      // An attempt under way is not replaced: beside it, another would be a duplicate.
      return isSending ? null : requeued(from);
  }
}

function started(from: DeliveryState): DeliveryState {
  return {
    ...from,
    status: 'SENDING',
    attempts: from.attempts + 1,
    autoAttempts: from.autoAttempts + (from.nextTrigger === 'auto' ? 1 : 0),
  };
}

/** The counters as they were before the claim. */
function unstarted(from: DeliveryState): Pick<DeliveryState, 'attempts' | 'autoAttempts'> {
  return {
    attempts: from.attempts - 1,
    autoAttempts: from.autoAttempts - (from.nextTrigger === 'auto' ? 1 : 0),
  };
}

function settled(from: DeliveryState, next: NextStep): DeliveryState {
  return {
    ...from,
    status: next.status,
    autoAttempts: from.autoAttempts - (next.status === 'PENDING' && next.isFree === true ? 1 : 0),
    nextTrigger: 'auto',
    isRetry: next.status === 'PENDING',
    lastError: next.status === 'DELIVERED' ? null : next.lastError,
  };
}

/** One that waits goes on with its schedule where that attempt fails; one that has ended is over then. */
function requeued(from: DeliveryState): DeliveryState {
  const autoAttempts = from.status === 'PENDING' ? from.autoAttempts : SCHEDULE_OVER;
  return { ...from, status: 'PENDING', nextTrigger: 'manual', isRetry: false, autoAttempts };
}

/** The first interruptions use up nothing of the schedule, because the receiver may have seen nothing of them. */
function reclaimed(from: DeliveryState, lastError: string, retries: number): DeliveryState {
  const isFree = from.interruptions < FREE_INTERRUPTIONS;
  const isManual = isFree && from.nextTrigger === 'manual';
  return {
    ...from,
    status: !isFree && from.autoAttempts > retries ? 'FAILED' : 'PENDING',
    autoAttempts: from.autoAttempts - (isFree && from.nextTrigger === 'auto' ? 1 : 0),
    nextTrigger: isManual ? 'manual' : 'auto',
    isRetry: !isManual,
    interruptions: from.interruptions + 1,
    lastError,
  };
}
