import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { AttemptSlots, type Grant, type Slot } from '../domain/attempt-slots.js';
import { PAYLOAD_EXPIRED, SUBSCRIPTION_DEACTIVATED, type ClaimedDelivery } from '../domain/delivery.js';
import { LanePaces, type KnownPace, type Pace } from '../domain/lane-paces.js';
import type { Lane } from '../domain/lane.js';
import { AgeWatch, type Aging } from './age-watch.js';
import { AttemptDelivery } from './attempt-delivery.js';
import { AttemptWatch } from './attempt-watch.js';
import { ENGINE_LIMITS } from './engine-limits.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';

/** Milliseconds after which a lane is rung again whose places are taken by other processes. */
const CONTENDED_MS = 100;

/** What one process knows of a lane while something of it is under way here. */
interface LaneState {
  /** Attempts under way, and slots for which deliveries are being claimed. */
  taken: number;
  /** Those of them that are expected to end in a moment. */
  quick: number;
  /** Those of them that retries fill, or may. */
  retries: number;
  /** A turn ended because its places were taken: whoever finishes next, or is claiming now, goes on with the lane. */
  goOn: boolean;
}

/**
 * A turn of a lane: claim what is due, start it, and end. A turn never waits for a receiver or for a slot, so it costs
 * others nothing: when places of the endpoint come free, this process goes on with the lane by itself; when there was no
 * slot, it is parked and called. Which slots a lane may fill follows from how its endpoint answers.
 */
@Injectable()
export class DrainLane {
  private readonly states = new Map<string, LaneState>();
  /** Turns and attempts of this process; none of them rejects. */
  private readonly underWay = new Set<Promise<void>>();
  private readonly paces = new LanePaces(ENGINE_LIMITS.paceAges, ENGINE_LIMITS.rememberedLanes);
  private readonly watches: Readonly<Record<'slow' | 'hanging', AgeWatch>>;
  private stopping = false;

  constructor(
    private readonly lanes: DeliveryLanes,
    private readonly attempt: AttemptDelivery,
    private readonly slots: AttemptSlots,
    private readonly watch: AttemptWatch,
    private readonly dispatcher: LaneDispatcher,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {
    const nowMs = (): number => clock.monotonicMs();
    const { slow, hanging } = ENGINE_LIMITS.paceAges;
    this.watches = { slow: new AgeWatch(slow, nowMs), hanging: new AgeWatch(hanging, nowMs) };
  }

  /** @throws what the claim throws: the lane is then left to the sweep. */
  async execute(lane: Lane): Promise<void> {
    const turn = this.turn(lane);
    this.track(
      turn.then(
        () => undefined,
        () => undefined,
      ),
    );
    await turn;
  }

  /** Stops taking new work and resolves when every turn has ended and every attempt under way is recorded. */
  async stop(): Promise<void> {
    this.stopping = true;
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** Attempts under way in this process. */
  get inFlight(): number {
    return this.slots.inUse;
  }

  /** Whether ringing the lane now would be for nothing: this process goes on with it by itself as soon as it can. */
  mustWait(lane: Lane): boolean {
    return this.states.get(lane.subscriptionId)?.goOn === true || this.slots.mustWait(lane);
  }

  private async turn(lane: Lane): Promise<void> {
    const state = this.stateOf(lane);
    for (let more = true; more && !this.stopping;) {
      const pace = this.paces.of(lane.subscriptionId);
      const places = this.placesOf(lane) - state.taken;
      if (!isWorthAClaim(places, state)) {
        state.goOn = true;
        break;
      }
      const grant = this.slots.take(lane, pace, places, state.taken === 0);
      if (grant === null) break;
      const claimed = await this.claim(lane, state, pace, grant);
      // Rung while the claim was under way: what the ring was for may have come too late for it.
      more = claimed.all === grant.count || state.goOn;
      // Retries beyond their bound wait for one that finishes.
      state.goOn = !more && claimed.retries === claimed.retryLimit && state.taken > 0;
    }
    this.forget(lane, state);
  }

  private async claim(
    lane: Lane,
    state: LaneState,
    pace: Pace,
    grant: Grant,
  ): Promise<{ readonly all: number; readonly retries: number; readonly retryLimit: number }> {
    const retryLimit = Math.max(Math.min(grant.retries, this.retryPlacesOf(lane) - state.retries), 0);
    const isQuick = grant.account === 'fast';
    state.taken += grant.count;
    if (isQuick) state.quick += grant.count;
    state.retries += retryLimit;
    let started: ClaimedDelivery[] = [];
    try {
      const { claims, isContended } = await this.lanes.claim(lane, grant.count, retryLimit);
      // What is due may have to wait for another process, which knows nothing of it. Those that take long are the sweep's.
      if (isContended && pace !== 'hanging') this.dispatcher.ringAfter(lane, CONTENDED_MS);
      started = await this.sendable(claims);
      return { all: claims.length, retries: retriesIn(claims), retryLimit };
    } finally {
      state.taken -= grant.count - started.length;
      if (isQuick) state.quick -= grant.count - started.length;
      const retries = retriesIn(started);
      state.retries -= retryLimit - retries;
      this.call(this.slots.settle(lane, pace, grant, { all: started.length, retries }));
      for (const claim of started) this.start(lane, state, pace, grant, claim);
    }
  }

  /** Gives back what may not be sent (any more); the rest is to be sent. */
  private async sendable(claims: readonly ClaimedDelivery[]): Promise<ClaimedDelivery[]> {
    if (this.stopping && claims.length > 0) {
      await this.lanes.release(claims);
      return [];
    }
    await this.abandon(
      claims.filter((claim) => !claim.subscriptionActive),
      SUBSCRIPTION_DEACTIVATED,
    );
    await this.abandon(
      claims.filter((claim) => claim.subscriptionActive && claim.payloadExpired),
      PAYLOAD_EXPIRED,
    );
    return claims.filter((claim) => claim.subscriptionActive && !claim.payloadExpired);
  }

  private async abandon(claims: readonly ClaimedDelivery[], lastError: string): Promise<void> {
    if (claims.length === 0) return;
    await this.lanes.abandon(claims, lastError);
    for (const claim of claims) this.watch.attempted(claim.id);
  }

  private start(lane: Lane, state: LaneState, pace: Pace, grant: Grant, claim: ClaimedDelivery): void {
    const slot = this.slots.begin(lane, pace, grant, claim.isRetry);
    const aging: Aging = { startedAtMs: this.clock.monotonicMs(), done: false };
    this.watches.slow.watch(aging, () => {
      const moved = this.move(lane, state, slot, 'slow');
      if (moved) this.watches.hanging.watch(aging, () => this.move(lane, state, slot, 'hanging'));
      return moved;
    });
    this.track(
      this.run(lane, claim).finally(() => {
        aging.done = true;
        this.paces.answered(lane.subscriptionId, this.clock.monotonicMs() - aging.startedAtMs);
        state.taken -= 1;
        if (slot.account === 'fast') state.quick -= 1;
        if (claim.isRetry) state.retries -= 1;
        this.call(this.slots.finish(slot));
        this.goOn(lane, state);
      }),
    );
  }

  /** Moves an attempt that goes on to the slots of its pace by now. @returns false when there is no room for it there */
  private move(lane: Lane, state: LaneState, slot: Slot, pace: KnownPace): boolean {
    this.paces.atLeast(lane.subscriptionId, pace);
    const wasQuick = slot.account === 'fast';
    const called = this.slots.move(slot, pace);
    if (called !== null) this.call(called);
    if (wasQuick && slot.account !== 'fast') state.quick -= 1;
    this.goOn(lane, state);
    return called !== null;
  }

  /** Never rejects: an attempt whose result could not be written is left to the sweep, which gives its lease back. */
  private async run(lane: Lane, claim: ClaimedDelivery): Promise<void> {
    try {
      this.watch.attempting(claim.id);
      const next = await this.attempt.execute(claim);
      if (next.status === 'PENDING') this.dispatcher.ringAfter(lane, next.delayMs);
      // The rest of a lane that was just deactivated ends in its next turn.
      if (next.status === 'FAILED' && next.deactivate) this.dispatcher.ring([lane]);
    } catch (cause) {
      this.logger.error(
        `The result of delivery ${claim.id} could not be recorded; the sweep will give it back`,
        { deliveryId: claim.id, cause },
      );
    } finally {
      this.watch.attempted(claim.id);
    }
  }

  private goOn(lane: Lane, state: LaneState): void {
    if (state.goOn && isWorthAClaim(this.placesOf(lane) - state.taken, state)) {
      state.goOn = false;
      this.call([lane]);
    }
    this.forget(lane, state);
  }

  /** Goes on with lanes in this process, without the way through a broker. */
  private call(lanes: readonly Lane[]): void {
    if (this.stopping) return;
    for (const lane of lanes) {
      this.execute(lane).catch((cause: unknown) => {
        this.logger.error('A lane could not be drained; the sweep will ring it again', {
          subscriptionId: lane.subscriptionId,
          cause,
        });
      });
    }
  }

  /** Requests under way that this process lets an endpoint have. */
  private placesOf({ subscriptionId }: Lane): number {
    const { perEndpoint, perUnprovenEndpoint } = ENGINE_LIMITS;
    return this.paces.hasAnswered(subscriptionId) ? perEndpoint : perUnprovenEndpoint;
  }

  /** Those of them that retries may take. */
  private retryPlacesOf({ subscriptionId }: Lane): number {
    const { retriesPerEndpoint, perUnprovenEndpoint } = ENGINE_LIMITS;
    return this.paces.hasAnswered(subscriptionId) ? retriesPerEndpoint : perUnprovenEndpoint;
  }

  private track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => {
      this.underWay.delete(tracked);
    });
    this.underWay.add(tracked);
  }

  private stateOf(lane: Lane): LaneState {
    const known = this.states.get(lane.subscriptionId);
    if (known !== undefined) return known;
    const state: LaneState = { taken: 0, quick: 0, retries: 0, goOn: false };
    this.states.set(lane.subscriptionId, state);
    return state;
  }

  private forget(lane: Lane, state: LaneState): void {
    if (state.taken === 0 && this.states.get(lane.subscriptionId) === state) {
      this.states.delete(lane.subscriptionId);
    }
  }
}

function retriesIn(claims: readonly ClaimedDelivery[]): number {
  return claims.filter((claim) => claim.isRetry).length;
}

/** One claim for many sends, instead of one for each, as long as more places are about to come free. */
function isWorthAClaim(places: number, { quick }: LaneState): boolean {
  return places > 0 && (places >= ENGINE_LIMITS.perEndpoint / 2 || quick === 0);
}
