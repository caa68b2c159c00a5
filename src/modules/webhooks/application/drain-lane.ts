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
import type { AttemptsUnderWay } from './attempts-under-way.js';
import { ENGINE_LIMITS } from './engine-limits.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { BirthPlaces } from './ports/event-intake.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';

/** Milliseconds after which a lane is rung again whose places are taken by other processes. */
const CONTENDED_MS = 20;

/** What one process knows of a lane while something of it is under way here. */
interface LaneState {
  /** Requests under way, and slots for which deliveries are being claimed. */
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
export class DrainLane extends BirthPlaces implements AttemptsUnderWay {
  private readonly states = new Map<string, LaneState>();
  /** Turns and attempts of this process; none of them rejects. */
  private readonly underWay = new Set<Promise<void>>();
  private readonly paces = new LanePaces(
    ENGINE_LIMITS.paceAges,
    ENGINE_LIMITS.concurrency,
    ENGINE_LIMITS.rememberedLanes,
  );
  private readonly watches: Readonly<Record<'slow' | 'hanging', AgeWatch>>;
  /** Answers whose result is not written yet. */
  private unrecorded = 0;
  /** Lanes that go on when enough results are written. */
  private readonly held = new Map<string, Lane>();
  /** Attempts with a longer time budget than usual, and by how much. */
  private readonly longer = new Map<ClaimedDelivery, number>();
  private started = false;
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
    super();
    const nowMs = (): number => clock.monotonicMs();
    const { slow, hanging } = ENGINE_LIMITS.paceAges;
    this.watches = { slow: new AgeWatch(slow, nowMs), hanging: new AgeWatch(hanging, nowMs) };
  }

  /** From now on this process may deliver what it stores itself. Turns are taken by whoever calls {@link execute}. */
  start(): void {
    this.started = true;
  }

  /**
   * How many new deliveries of a lane this process could send at once, without a claim: 0 where something waits already, so
   * that nothing overtakes it.
   */
  override freePlaces(lane: Lane): number {
    if (!this.mayStart() || this.mustWait(lane)) return 0;
    const places = this.placesOf(lane) - this.taken(lane);
    return Math.max(0, Math.min(places, this.slots.roomOf(lane, this.paces.of(lane.subscriptionId))));
  }

  /** The same of a lane that this process knows nothing of; null when it does not deliver, or not now. */
  override get freePlacesOfUnknown(): number | null {
    return this.mayStart() ? ENGINE_LIMITS.concurrency.first : null;
  }

  override taken(lane: Lane): number {
    return this.states.get(lane.subscriptionId)?.taken ?? 0;
  }

  /** Sends deliveries that were claimed where they were stored. What there is no slot for after all is given back. */
  adopt(lane: Lane, claims: readonly ClaimedDelivery[]): void {
    const state = this.stateOf(lane);
    const pace = this.paces.of(lane.subscriptionId);
    const grant = this.stopping ? null : this.slots.take(lane, pace, claims.length);
    const begun = claims.slice(0, grant?.count ?? 0);
    if (grant !== null) {
      state.taken += begun.length;
      if (grant.account === 'fast') state.quick += begun.length;
      this.call(this.slots.settle(lane, pace, grant, { all: begun.length, retries: 0 }));
      for (const claim of begun) this.begin(lane, state, pace, grant, claim);
    }
    this.forget(lane, state);
    const refused = claims.slice(begun.length);
    if (refused.length > 0) this.track(this.giveBack(lane, refused));
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

  get extraMs(): number {
    return Math.max(0, ...this.longer.values());
  }

  /** Whether ringing the lane now would be for nothing: this process goes on with it by itself as soon as it can. */
  mustWait(lane: Lane): boolean {
    return this.states.get(lane.subscriptionId)?.goOn === true || this.slots.mustWait(lane);
  }

  private async turn(lane: Lane): Promise<void> {
    const state = this.stateOf(lane);
    for (let more = true; more && !this.stopping;) {
      if (this.unrecorded >= ENGINE_LIMITS.unrecorded) {
        this.held.set(lane.subscriptionId, lane);
        break;
      }
      const pace = this.paces.of(lane.subscriptionId);
      const places = this.placesOf(lane) - state.taken;
      if (!this.isWorthAClaim(lane, places, state)) {
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
      started = await this.sendable(claims);
      return { all: claims.length, retries: retriesIn(claims), retryLimit };
    } finally {
      state.taken -= grant.count - started.length;
      if (isQuick) state.quick -= grant.count - started.length;
      const retries = retriesIn(started);
      state.retries -= retryLimit - retries;
      this.call(this.slots.settle(lane, pace, grant, { all: started.length, retries }));
      for (const claim of started) this.begin(lane, state, pace, grant, claim);
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

  private begin(lane: Lane, state: LaneState, pace: Pace, grant: Grant, claim: ClaimedDelivery): void {
    const slot = this.slots.begin(lane, pace, grant, claim.isRetry);
    const aging: Aging = { startedAtMs: this.clock.monotonicMs(), done: false };
    this.watches.slow.watch(aging, () => {
      const moved = this.move(lane, state, slot, 'slow');
      if (moved) this.watches.hanging.watch(aging, () => this.move(lane, state, slot, 'hanging'));
      return moved;
    });
    const answered = (isHealthy: boolean): void => {
      if (aging.done) return;
      aging.done = true;
      this.paces.answered(lane.subscriptionId, this.clock.monotonicMs() - aging.startedAtMs, isHealthy);
      state.taken -= 1;
      if (slot.account === 'fast') state.quick -= 1;
      if (claim.isRetry) state.retries -= 1;
      this.call(this.slots.finish(slot));
      this.goOn(lane, state);
      this.unrecorded += 1;
    };
    this.track(
      this.run(lane, claim, answered).finally(() => {
        answered(false);
        this.unrecorded -= 1;
        this.goOnWithHeld();
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
  private async run(
    lane: Lane,
    claim: ClaimedDelivery,
    onAnswered: (isHealthy: boolean) => void,
  ): Promise<void> {
    try {
      const extraMs = this.attempt.extraMsOf(claim);
      if (extraMs > 0) this.longer.set(claim, extraMs);
      this.watch.attempting(claim.id, extraMs);
      const next = await this.attempt.execute(claim, onAnswered);
      if (next.status === 'PENDING') this.dispatcher.ringAfter(lane, next.delayMs);
      // The rest of a lane that was just deactivated ends in its next turn.
      if (next.status === 'FAILED' && next.deactivate) this.dispatcher.ring([lane]);
    } catch (cause) {
      this.logger.error(
        `The result of delivery ${claim.id} could not be recorded; the sweep will give it back`,
        { deliveryId: claim.id, cause },
      );
    } finally {
      this.longer.delete(claim);
      this.watch.attempted(claim.id);
    }
  }

  private goOn(lane: Lane, state: LaneState): void {
    if (state.goOn && this.isWorthAClaim(lane, this.placesOf(lane) - state.taken, state)) {
      state.goOn = false;
      this.call([lane]);
    }
    this.forget(lane, state);
  }

  private goOnWithHeld(): void {
    if (this.held.size === 0 || this.unrecorded >= ENGINE_LIMITS.unrecorded / 2) return;
    const lanes = [...this.held.values()];
    this.held.clear();
    this.call(lanes);
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
    return this.paces.concurrencyOf(subscriptionId);
  }

  /** Those of them that retries may take. */
  private retryPlacesOf(lane: Lane): number {
    return Math.max(1, Math.floor(this.placesOf(lane) * ENGINE_LIMITS.retryShare));
  }

  /** One claim for many sends, instead of one for each, as long as more places are about to come free. */
  private isWorthAClaim(lane: Lane, places: number, { quick }: LaneState): boolean {
    return places > 0 && (places >= this.placesOf(lane) / 2 || quick === 0);
  }

  private mayStart(): boolean {
    return this.started && !this.stopping && this.unrecorded < ENGINE_LIMITS.unrecorded;
  }

  private async giveBack(lane: Lane, claims: readonly ClaimedDelivery[]): Promise<void> {
    try {
      await this.lanes.release(claims);
      this.dispatcher.ring([lane]);
    } catch (cause) {
      this.logger.error('Deliveries could not be given back; the sweep will do it', {
        subscriptionId: lane.subscriptionId,
        cause,
      });
    } finally {
      for (const claim of claims) this.watch.attempted(claim.id);
    }
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
