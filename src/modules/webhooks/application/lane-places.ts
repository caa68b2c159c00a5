import type { AttemptSlots } from '../domain/attempt-slots.js';
import { LanePaces } from '../domain/lane-paces.js';
import type { Lane } from '../domain/lane.js';
import { ENGINE_LIMITS } from './engine-limits.js';

/** What one process knows of a lane while something of it is under way here. */
export interface LaneState {
  /** Requests under way, and slots for which deliveries are being claimed. */
  taken: number;
  /** Those of them that are expected to end in a moment. */
  quick: number;
  /** Those of them that retries fill, or may. */
  retries: number;
  /** A turn ended because its places were taken: whoever finishes next goes on with the lane. */
  goOn: boolean;
  /** A turn of it is under way. */
  isOpening: boolean;
  /** The lane was rung since the claim that is under way. */
  again: boolean;
  /** Its last turn ended because a gate keeps back what is due, and an attempt that ends changes nothing of it. */
  isHeld: boolean;
}

/** The places of endpoints in one process: how many each may have, how many are taken, and when it is worth asking for more. */
export class LanePlaces {
  readonly paces = new LanePaces(
    ENGINE_LIMITS.paceAges,
    ENGINE_LIMITS.concurrency,
    ENGINE_LIMITS.rememberedLanes,
  );
  private readonly states = new Map<string, LaneState>();

  constructor(private readonly slots: AttemptSlots) {}

  stateOf({ subscriptionId }: Lane): LaneState {
    const known = this.states.get(subscriptionId);
    if (known !== undefined) return known;
    const state: LaneState = {
      taken: 0,
      quick: 0,
      retries: 0,
      goOn: false,
      isOpening: false,
      again: false,
      isHeld: false,
    };
    this.states.set(subscriptionId, state);
    return state;
  }

  /** To be called when something of a lane has ended: there is nothing to know of one with nothing under way. */
  forget({ subscriptionId }: Lane, state: LaneState): void {
    if (state.taken === 0 && !state.isOpening && this.states.get(subscriptionId) === state) {
      this.states.delete(subscriptionId);
    }
  }

  taken({ subscriptionId }: Lane): number {
    return this.states.get(subscriptionId)?.taken ?? 0;
  }

  /** Requests under way that this process lets an endpoint have. */
  allowed({ subscriptionId }: Lane): number {
    return this.paces.concurrencyOf(subscriptionId);
  }

  /** Those of them that retries may take. */
  allowedRetries(lane: Lane): number {
    return Math.max(1, Math.floor(this.allowed(lane) * ENGINE_LIMITS.retryShare));
  }

  /** Places that could be filled at once, as far as slots go as well. */
  free(lane: Lane): number {
    const places = this.allowed(lane) - this.taken(lane);
    return Math.max(0, Math.min(places, this.slots.roomOf(lane, this.paces.of(lane.subscriptionId))));
  }

  /** One claim for many sends, instead of one for each, as long as more places are about to come free. */
  isWorthAClaim(lane: Lane, { taken, quick }: LaneState): boolean {
    const allowed = this.allowed(lane);
    return taken < allowed && (allowed - taken >= allowed / 2 || quick === 0);
  }

  /** Whether this process opens the lane now, or will when one of its attempts ends. */
  goesOn({ subscriptionId }: Lane): boolean {
    const state = this.states.get(subscriptionId);
    return state !== undefined && (state.goOn || state.isOpening);
  }

  /** Whether ringing the lane now would be for nothing: this process goes on with it by itself as soon as it can. */
  mustWait(lane: Lane): boolean {
    return this.states.get(lane.subscriptionId)?.goOn === true || this.slots.mustWait(lane);
  }
}
