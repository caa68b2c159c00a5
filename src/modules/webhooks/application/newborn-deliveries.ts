import type { AttemptSlots } from '../domain/attempt-slots.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { Lane } from '../domain/lane.js';
import { ENGINE_LIMITS } from './engine-limits.js';
import type { GiveBack } from './give-back.js';
import type { LanePlaces } from './lane-places.js';
import type { OwnWork } from './own-work.js';
import type { RunAttempts } from './run-attempts.js';
import type { UnrecordedResults } from './unrecorded-results.js';

/** What newborn deliveries need of the process that they are born in. */
export interface Birthplace {
  readonly slots: AttemptSlots;
  readonly places: LanePlaces;
  readonly unrecorded: UnrecordedResults;
  readonly attempts: RunAttempts;
  readonly giveBack: GiveBack;
  readonly work: OwnWork;
  /** Goes on with lanes in this process. */
  readonly goOnWith: (lanes: readonly Lane[]) => void;
}

/** Deliveries that this process claims where it stores them: how many it has places for, and their attempts. */
export class NewbornDeliveries {
  private started = false;

  constructor(private readonly of: Birthplace) {}

  /** From now on this process may deliver what it stores itself. */
  start(): void {
    this.started = true;
  }

  /** 0 where something waits already, so that nothing overtakes it. */
  freePlaces(lane: Lane): number {
    return this.mayStart && !this.of.places.mustWait(lane) ? this.of.places.free(lane) : 0;
  }

  get freePlacesOfUnknown(): number | null {
    return this.mayStart ? ENGINE_LIMITS.concurrency.first : null;
  }

  /** Sends them now. What there is no slot for after all is given back. */
  adopt(lane: Lane, claims: readonly ClaimedDelivery[]): void {
    const { slots, places, attempts, giveBack, work, goOnWith } = this.of;
    const state = places.stateOf(lane);
    const pace = places.paces.of(lane.subscriptionId);
    const grant = work.isStopping ? null : slots.take(lane, pace, claims.length);
    const begun = claims.slice(0, grant?.count ?? 0);
    if (grant !== null) {
      state.taken += begun.length;
      if (grant.account === 'fast') state.quick += begun.length;
      goOnWith(slots.settle(lane, pace, grant, { all: begun.length, retries: 0 }));
      for (const claim of begun) attempts.begin(lane, state, pace, grant, claim);
    }
    places.forget(lane, state);
    const refused = claims.slice(begun.length);
    if (refused.length > 0) work.track(giveBack.refused(lane, refused));
  }

  private get mayStart(): boolean {
    return this.started && !this.of.work.isStopping && !this.of.unrecorded.isFull;
  }
}
