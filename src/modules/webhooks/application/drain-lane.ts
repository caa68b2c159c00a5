import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { AttemptSlots, type Grant } from '../domain/attempt-slots.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { Pace } from '../domain/lane-paces.js';
import type { Lane } from '../domain/lane.js';
import { AttemptDelivery } from './attempt-delivery.js';
import { AttemptWatch } from './attempt-watch.js';
import type { AttemptsUnderWay } from './attempts-under-way.js';
import { GiveBack } from './give-back.js';
import { LanePlaces, type LaneState } from './lane-places.js';
import { NewbornDeliveries } from './newborn-deliveries.js';
import { OwnWork } from './own-work.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { BirthPlaces } from './ports/event-intake.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { RunAttempts } from './run-attempts.js';
import { UnrecordedResults } from './unrecorded-results.js';

/** Milliseconds after which a lane is rung again whose places are taken by other processes. */
const CONTENDED_MS = 20;

/**
 * A turn of a lane: claim what is due, start it, and end. A turn never waits for a receiver or for a slot, so it costs
 * others nothing: when places of the endpoint come free, this process goes on with the lane by itself; when there was no
 * slot, it is parked and called. Which slots a lane may fill follows from how its endpoint answers.
 */
@Injectable()
export class DrainLane extends BirthPlaces implements AttemptsUnderWay {
  private readonly work = new OwnWork();
  private readonly unrecorded: UnrecordedResults;
  private readonly places: LanePlaces;
  private readonly attempts: RunAttempts;
  private readonly giveBack: GiveBack;
  private readonly newborn: NewbornDeliveries;

  constructor(
    private readonly lanes: DeliveryLanes,
    attempt: AttemptDelivery,
    private readonly slots: AttemptSlots,
    watch: AttemptWatch,
    private readonly dispatcher: LaneDispatcher,
    clock: Clock,
    private readonly logger: AppLogger,
  ) {
    super();
    const { work } = this;
    const goOnWith = (called: readonly Lane[]): void => {
      this.call(called);
    };
    this.unrecorded = new UnrecordedResults(goOnWith);
    this.places = new LanePlaces(slots);
    this.giveBack = new GiveBack(lanes, watch, dispatcher, logger);
    const { places, unrecorded, giveBack } = this;
    const here = { slots, places, unrecorded, work, goOnWith };
    this.attempts = new RunAttempts({ ...here, attempt, watch, dispatcher, clock, logger });
    this.newborn = new NewbornDeliveries({ ...here, giveBack, attempts: this.attempts });
  }

  /** From now on this process may deliver what it stores itself. Turns are taken by whoever calls {@link execute}. */
  start(): void {
    this.newborn.start();
  }

  override freePlaces(lane: Lane): number {
    return this.newborn.freePlaces(lane);
  }

  override get freePlacesOfUnknown(): number | null {
    return this.newborn.freePlacesOfUnknown;
  }

  override taken(lane: Lane): number {
    return this.places.taken(lane);
  }

  /** Sends deliveries that were claimed where they were stored. */
  adopt(lane: Lane, claims: readonly ClaimedDelivery[]): void {
    this.newborn.adopt(lane, claims);
  }

  /** @throws what the claim throws: the lane is then left to the sweep. */
  async execute(lane: Lane): Promise<void> {
    const turn = this.turn(lane);
    this.work.track(
      turn.then(
        () => undefined,
        () => undefined,
      ),
    );
    await turn;
  }

  /** Stops taking new work and resolves when every turn has ended and every attempt under way is recorded. */
  async stop(): Promise<void> {
    await this.work.stop();
  }

  /** Attempts under way in this process. */
  get inFlight(): number {
    return this.slots.inUse;
  }

  get extraMs(): number {
    return this.attempts.extraMs;
  }

  /** Whether ringing the lane now would be for nothing: this process goes on with it by itself as soon as it can. */
  mustWait(lane: Lane): boolean {
    return this.places.mustWait(lane);
  }

  private async turn(lane: Lane): Promise<void> {
    const { places, slots } = this;
    const state = places.stateOf(lane);
    for (let more = true; more && !this.work.isStopping;) {
      if (this.unrecorded.isFull) {
        this.unrecorded.hold(lane);
        break;
      }
      if (!places.isWorthAClaim(lane, state)) {
        state.goOn = true;
        break;
      }
      const pace = places.paces.of(lane.subscriptionId);
      const grant = slots.take(lane, pace, places.allowed(lane) - state.taken, state.taken === 0);
      if (grant === null) break;
      const claimed = await this.claim(lane, state, pace, grant);
      // Rung while the claim was under way: what the ring was for may have come too late for it.
      more = claimed.all === grant.count || state.goOn;
      // Retries beyond their bound wait for one that finishes.
      state.goOn = !more && claimed.retries === claimed.retryLimit && state.taken > 0;
    }
    places.forget(lane, state);
  }

  private async claim(
    lane: Lane,
    state: LaneState,
    pace: Pace,
    grant: Grant,
  ): Promise<{ readonly all: number; readonly retries: number; readonly retryLimit: number }> {
    const retryLimit = Math.max(Math.min(grant.retries, this.places.allowedRetries(lane) - state.retries), 0);
    const isQuick = grant.account === 'fast';
    const { taken, retries: retriesTaken } = state;
    state.taken += grant.count;
    if (isQuick) state.quick += grant.count;
    state.retries += retryLimit;
    let started: ClaimedDelivery[] = [];
    try {
      const wish = { limit: grant.count, retryLimit, taken, retriesTaken };
      const { claims, isContended } = await this.lanes.claim(lane, wish);
      // What is due may have to wait for another process, which knows nothing of it. Those that take long are the sweep's.
      if (isContended && pace !== 'hanging') this.dispatcher.ringAfter(lane, CONTENDED_MS);
      started = await this.giveBack.sendable(claims, this.work.isStopping);
      return { all: claims.length, retries: retriesIn(claims), retryLimit };
    } finally {
      state.taken -= grant.count - started.length;
      if (isQuick) state.quick -= grant.count - started.length;
      const retries = retriesIn(started);
      state.retries -= retryLimit - retries;
      this.call(this.slots.settle(lane, pace, grant, { all: started.length, retries }));
      for (const claim of started) this.attempts.begin(lane, state, pace, grant, claim);
    }
  }

  /** Goes on with lanes in this process, without the way through a broker. */
  private call(lanes: readonly Lane[]): void {
    if (this.work.isStopping) return;
    for (const lane of lanes) {
      this.execute(lane).catch((cause: unknown) => {
        this.logger.error('A lane could not be drained; the sweep will ring it again', {
          subscriptionId: lane.subscriptionId,
          cause,
        });
      });
    }
  }
}

function retriesIn(claims: readonly ClaimedDelivery[]): number {
  return claims.filter((claim) => claim.isRetry).length;
}
