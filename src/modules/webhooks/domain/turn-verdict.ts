import type { HoldReason } from './delivery.js';

/** What is left in a lane after it was opened, as the database saw it in the statement that made the claims. */
export type LaneRest =
  /** Nobody knows: another process is opening the lane at this instant, or changing what it may do. */
  | { readonly kind: 'busy' }
  | {
      readonly kind: 'seen';
      /** Milliseconds until the next first attempt is due, 0 when one is; null: there is none. */
      readonly firstDueInMs: number | null;
      /** The same of retries. */
      readonly retryDueInMs: number | null;
      /** There was less room than was asked for, because of what other processes have under way. */
      readonly isShort: boolean;
      /** A gate let less through than there were places for. */
      readonly hold: LaneHold | null;
    };

/** What keeps a lane back, and for how many milliseconds; null: nobody knows. */
export interface LaneHold {
  readonly reason: HoldReason;
  readonly forMs: number | null;
}

/** What a turn asked of a lane, what it got, and what is left. */
export interface Opening {
  readonly claimed: { readonly all: number; readonly retries: number };
  /** As many retries as this process may have under way beside those that it has. */
  readonly retryLimit: number;
  /** Whether this process has a retry of the lane under way, which makes room for the next when it ends. */
  readonly isRetrying: boolean;
  readonly rest: LaneRest;
}

/**
 * How a turn ended. Each one names who goes on with the lane, so that no ring is lost whatever the number of processes; the
 * sweep is for what dies.
 */
export type TurnVerdict =
  /** Nothing is due. What comes rings by itself; for what is there already this process rings when it is due. */
  | { readonly kind: 'drained'; readonly nextDueInMs: number | null }
  /** Something is due and may have room: this process goes on at once. */
  | { readonly kind: 'more' }
  /**
   * The endpoint's places are taken. By us: whoever finishes here goes on. By others: whoever settles there goes on, and this
   * process looks again in a while, for what they settled a moment too early to see.
   */
  | { readonly kind: 'full'; readonly by: 'us' | 'others' }
  /** There is no slot for it in this process, which calls it when there is. */
  | { readonly kind: 'parked' }
  /** A gate keeps the lane back: this process rings when it may let more through; who opens it for good rings as well. */
  | ({ readonly kind: 'held' } & LaneHold)
  /** The process is told to stop. */
  | { readonly kind: 'stopped' };

export function verdictAfter({ claimed, retryLimit, isRetrying, rest }: Opening): TurnVerdict {
  if (rest.kind === 'busy') return { kind: 'full', by: 'others' };
  const { firstDueInMs, retryDueInMs, isShort, hold } = rest;
  const nextDueInMs = earliest(firstDueInMs, retryDueInMs);
  if (nextDueInMs !== 0) return { kind: 'drained', nextDueInMs };
  if (hold !== null) return { kind: 'held', ...hold };
  if (isShort) return { kind: 'full', by: 'others' };
  // Only retries are due, and this process may have no more of them now.
  if (firstDueInMs !== 0 && claimed.retries >= retryLimit) {
    return { kind: 'full', by: isRetrying ? 'us' : 'others' };
  }
  // Due, but nothing of it could be had: somebody else holds the rows, and going on at once would be a loop.
  return claimed.all > 0 ? { kind: 'more' } : { kind: 'full', by: 'others' };
}

/** @returns null when both are */
export function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
