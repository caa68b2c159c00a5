import type { AppLogger } from '../../../platform/kernel/app-logger.js';
import type { Clock } from '../../../platform/kernel/clock.js';
import type { AttemptSlots, Grant, Slot } from '../domain/attempt-slots.js';
import { membersOf } from '../domain/claims.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { KnownPace, Pace } from '../domain/lane-paces.js';
import type { Lane } from '../domain/lane.js';
import { AgeWatch, type Aging } from './age-watch.js';
import type { AttemptDelivery } from './attempt-delivery.js';
import type { AttemptWatch } from './attempt-watch.js';
import { ENGINE_LIMITS } from './engine-limits.js';
import type { LanePlaces, LaneState } from './lane-places.js';
import type { OwnWork } from './own-work.js';
import type { DeliveryLanes } from './ports/delivery-lanes.js';
import type { LaneDispatcher } from './ports/lane-dispatcher.js';
import type { UnrecordedResults } from './unrecorded-results.js';

/** What attempts need of the process that they run in. */
export interface AttemptSurroundings {
  readonly attempt: AttemptDelivery;
  readonly lanes: DeliveryLanes;
  readonly slots: AttemptSlots;
  readonly places: LanePlaces;
  readonly unrecorded: UnrecordedResults;
  readonly work: OwnWork;
  readonly watch: AttemptWatch;
  readonly dispatcher: LaneDispatcher;
  readonly clock: Clock;
  readonly logger: AppLogger;
  /** Goes on with lanes in this process. */
  readonly goOnWith: (lanes: readonly Lane[]) => void;
}

/** What is told of an attempt while it is made, and asked. */
interface AttemptCourse {
  /** @returns whether somebody goes on with the lane without being told that more is due */
  readonly answered: (isHealthy: boolean) => boolean;
  readonly recorded: () => void;
  readonly isOurs: () => boolean;
}

/** Attempts under way: each holds a slot that moves on with its age, and gives its place back when the answer is in. */
export class RunAttempts {
  private readonly watches: Readonly<Record<'slow' | 'hanging', AgeWatch>>;
  /** Attempts with a longer time budget than usual, and by how much. */
  private readonly longer = new Map<ClaimedDelivery, number>();

  constructor(private readonly of: AttemptSurroundings) {
    const nowMs = (): number => of.clock.monotonicMs();
    const { slow, hanging } = ENGINE_LIMITS.paceAges;
    this.watches = { slow: new AgeWatch(slow, nowMs), hanging: new AgeWatch(hanging, nowMs) };
  }

  /** How much longer than usual one of them may take, in milliseconds. */
  get extraMs(): number {
    return Math.max(0, ...this.longer.values());
  }

  /**
   * Starts the attempt of a claim in one of the slots that were granted for it.
   *
   * @param term of this process in which it was claimed
   */
  begin(
    lane: Lane,
    state: LaneState,
    pace: Pace,
    grant: Grant,
    claim: ClaimedDelivery,
    term = this.of.lanes.term,
  ): void {
    const { lanes, slots, places, unrecorded, work, clock, goOnWith } = this.of;
    const slot = slots.begin(lane, pace, grant, claim.isRetry);
    // What waits for its slot is as good as under way: it is sent by nobody else, and its place is taken.
    const aging: Aging = { startedAtMs: clock.monotonicMs() + claim.waitMs, done: false };
    this.watches.slow.watch(aging, () => {
      const moved = this.move(lane, state, slot, 'slow');
      if (moved) this.watches.hanging.watch(aging, () => this.move(lane, state, slot, 'hanging'));
      return moved;
    });
    let hasPlace = true;
    const leavePlace = (): void => {
      if (!hasPlace) return;
      hasPlace = false;
      state.taken -= 1;
      if (slot.account === 'fast') state.quick -= 1;
      if (claim.isRetry) state.retries -= 1;
      this.goOn(lane, state);
    };
    const answered = (isHealthy: boolean): boolean => {
      if (aging.done) return true;
      aging.done = true;
      places.paces.answered(lane.subscriptionId, clock.monotonicMs() - aging.startedAtMs, isHealthy);
      goOnWith(slots.finish(slot));
      // What follows from a failure (a circuit that opens, a wait that was asked for) is known when it is written: until then
      // its place stays taken, so that results which queue up do not become requests that an endpoint should be spared.
      if (isHealthy) leavePlace();
      unrecorded.answered();
      return state.isHeld || places.goesOn(lane);
    };
    work.track(
      this.run(lane, claim, { answered, recorded: leavePlace, isOurs: () => lanes.areOurs(term) }).finally(
        () => {
          answered(false);
          leavePlace();
          unrecorded.recorded();
        },
      ),
    );
  }

  /** Moves an attempt that goes on to the slots of its pace by now. @returns false when there is no room for it there */
  private move(lane: Lane, state: LaneState, slot: Slot, pace: KnownPace): boolean {
    const { slots, places, goOnWith } = this.of;
    places.paces.atLeast(lane.subscriptionId, pace);
    const wasQuick = slot.account === 'fast';
    const called = slots.move(slot, pace);
    if (called !== null) goOnWith(called);
    if (wasQuick && slot.account !== 'fast') state.quick -= 1;
    this.goOn(lane, state);
    return called !== null;
  }

  /** A place may have come free: the lane goes on if a turn of it ended for want of one. */
  private goOn(lane: Lane, state: LaneState): void {
    const { places, goOnWith } = this.of;
    if (state.goOn && places.isWorthAClaim(lane, state)) {
      state.goOn = false;
      goOnWith([lane]);
    }
    places.forget(lane, state);
  }

  /** Never rejects: an attempt whose result could not be written is left to the sweep, which gives its lease back. */
  private async run(
    lane: Lane,
    claim: ClaimedDelivery,
    { answered, recorded, isOurs }: AttemptCourse,
  ): Promise<void> {
    const { attempt, watch, dispatcher, logger, goOnWith } = this.of;
    try {
      if (claim.waitMs > 0) await new Promise((resolve) => setTimeout(resolve, claim.waitMs));
      const extraMs = attempt.extraMsOf(claim);
      if (extraMs > 0) this.longer.set(claim, extraMs);
      for (const { id } of membersOf(claim)) watch.attempting(id, extraMs);
      const { next, isMoreDue } = await attempt.execute(claim, answered, isOurs);
      recorded();
      if (next.status === 'PENDING') dispatcher.ringAfter(lane, next.delayMs);
      // The rest of a lane that was just deactivated ends in its next turn.
      if (next.status === 'FAILED' && next.deactivate) dispatcher.ring([lane]);
      // Another process, or a ring that came too early, may have found no room beside this attempt.
      if (isMoreDue) goOnWith([lane]);
    } catch (cause) {
      logger.error(`The result of delivery ${claim.id} could not be recorded; the sweep will give it back`, {
        deliveryId: claim.id,
        cause,
      });
    } finally {
      this.longer.delete(claim);
      for (const { id } of membersOf(claim)) watch.attempted(id);
    }
  }
}
