import type { AttemptSlots, Grant } from '../domain/attempt-slots.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { Pace } from '../domain/lane-paces.js';
import type { Lane } from '../domain/lane.js';
import { verdictAfter, type Opening, type TurnVerdict } from '../domain/turn-verdict.js';
import type { AttemptWatch } from './attempt-watch.js';
import type { GiveBack } from './give-back.js';
import type { LanePlaces, LaneState } from './lane-places.js';
import { LookAgain } from './look-again.js';
import type { OwnWork } from './own-work.js';
import type { DeliveryLanes } from './ports/delivery-lanes.js';
import type { LaneDispatcher } from './ports/lane-dispatcher.js';
import type { RunAttempts } from './run-attempts.js';
import type { UnrecordedResults } from './unrecorded-results.js';

/** What a turn needs of the process that takes it. */
export interface TurnSurroundings {
  readonly lanes: DeliveryLanes;
  readonly slots: AttemptSlots;
  readonly places: LanePlaces;
  readonly unrecorded: UnrecordedResults;
  readonly attempts: RunAttempts;
  readonly giveBack: GiveBack;
  readonly work: OwnWork;
  readonly dispatcher: LaneDispatcher;
  readonly watch: AttemptWatch;
  /** Goes on with lanes in this process. */
  readonly goOnWith: (lanes: readonly Lane[]) => void;
}

/**
 * A turn of a lane: claim what is due and there is room for, start it, and end with a verdict, which says who goes on. A turn
 * waits for the database alone, never for a receiver or a slot. One process opens a lane once at a time.
 */
export class TakeTurn {
  private readonly lookAgain = new LookAgain();

  constructor(private readonly of: TurnSurroundings) {}

  /** @throws what the claim throws: the lane is then left to the sweep. */
  async execute(lane: Lane): Promise<TurnVerdict> {
    const { places } = this.of;
    const state = places.stateOf(lane);
    if (state.isOpening) {
      // What this ring is for may have come too late for the claim that is under way: whoever waits for it opens once more.
      state.again = true;
      return { kind: 'more' };
    }
    state.isOpening = true;
    try {
      const verdict = await this.open(lane, state);
      this.act(lane, verdict);
      return verdict;
    } catch (cause) {
      state.isOpening = false;
      throw cause;
    } finally {
      places.forget(lane, state);
    }
  }

  /** Ends `isOpening` in the very step that decides: whoever comes a moment later must not rely on this turn any more. */
  private async open(lane: Lane, state: LaneState): Promise<TurnVerdict> {
    const { places, slots } = this.of;
    state.goOn = false;
    for (;;) {
      const refusal = this.refusal(lane, state);
      if (refusal !== null) return refusal;
      const pace = places.paces.of(lane.subscriptionId);
      const grant = slots.take(lane, pace, places.allowed(lane) - state.taken, state.taken === 0);
      if (grant === null) {
        state.isOpening = false;
        return { kind: 'parked' };
      }
      state.again = false;
      const opening = await this.claim(lane, state, pace, grant);
      const verdict = verdictAfter({ ...opening, isRetrying: state.retries > 0 });
      // It goes on: what is next may go in a moment.
      if (opening.claimed.all > 0 && waitsForOthers(verdict) && verdict.kind === 'held')
        this.lookAgain.forget(lane);
      if (verdict.kind !== 'more' && !state.again) {
        state.goOn = verdict.kind === 'full' && verdict.by === 'us';
        // A circuit may close with the attempt that is under way, and what is next in an order may go after it.
        state.isHeld = verdict.kind === 'held' && !['circuit_open', 'order'].includes(verdict.reason);
        state.isOpening = false;
        return verdict;
      }
    }
  }

  /** Why the lane is not opened now, if it is not. */
  private refusal(lane: Lane, state: LaneState): TurnVerdict | null {
    const { places, unrecorded, work } = this.of;
    const mayOpen = !work.isStopping && !unrecorded.isFull && places.isWorthAClaim(lane, state);
    if (mayOpen) return null;
    state.isOpening = false;
    if (work.isStopping) return { kind: 'stopped' };
    if (unrecorded.isFull) {
      unrecorded.hold(lane);
      return { kind: 'parked' };
    }
    state.goOn = true;
    return { kind: 'full', by: 'us' };
  }

  private act(lane: Lane, verdict: TurnVerdict): void {
    const { dispatcher, watch } = this.of;
    if (verdict.kind === 'held') watch.held(lane);
    if (waitsForOthers(verdict)) {
      dispatcher.ringAfter(lane, this.lookAgain.after(lane));
      return;
    }
    this.lookAgain.forget(lane);
    const waitMs = waitOf(verdict);
    if (waitMs !== null) dispatcher.ringAfter(lane, waitMs);
  }

  private async claim(
    lane: Lane,
    state: LaneState,
    pace: Pace,
    grant: Grant,
  ): Promise<Omit<Opening, 'isRetrying'>> {
    const { lanes, slots, places, attempts, giveBack, work, goOnWith } = this.of;
    const retryLimit = Math.max(Math.min(grant.retries, places.allowedRetries(lane) - state.retries), 0);
    const isQuick = grant.account === 'fast';
    const { taken, retries: retriesTaken } = state;
    state.taken += grant.count;
    if (isQuick) state.quick += grant.count;
    state.retries += retryLimit;
    let started: ClaimedDelivery[] = [];
    const { term } = lanes;
    try {
      const wish = { limit: grant.count, retryLimit, taken, retriesTaken };
      const { claims, rest } = await lanes.claim(lane, wish);
      started = await giveBack.sendable(claims, work.isStopping);
      return { claimed: { all: claims.length, retries: retriesIn(claims) }, retryLimit, rest };
    } finally {
      state.taken -= grant.count - started.length;
      if (isQuick) state.quick -= grant.count - started.length;
      const retries = retriesIn(started);
      state.retries -= retryLimit - retries;
      goOnWith(slots.settle(lane, pace, grant, { all: started.length, retries }));
      for (const claim of started) attempts.begin(lane, state, pace, grant, claim, term);
    }
  }
}

/**
 * Whether it ended because of what is under way: whoever settles that goes on, and may have looked a moment before what is due
 * now could be seen.
 */
function waitsForOthers(verdict: TurnVerdict): boolean {
  if (verdict.kind === 'full') return verdict.by === 'others';
  return verdict.kind === 'held' && verdict.reason === 'order' && verdict.forMs === null;
}

/** When this process has to ring, in milliseconds from now; null: nobody knows, or it need not. */
function waitOf(verdict: TurnVerdict): number | null {
  if (verdict.kind === 'drained') return verdict.nextDueInMs;
  return verdict.kind === 'held' ? verdict.forMs : null;
}

function retriesIn(claims: readonly ClaimedDelivery[]): number {
  return claims.filter((claim) => claim.isRetry).length;
}
