import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { SUBSCRIPTION_DEACTIVATED, type ClaimedDelivery } from '../domain/delivery.js';
import { DeliverySlots } from '../domain/delivery-slots.js';
import type { Lane } from '../domain/lane.js';
import type { LaneTurn } from '../domain/lane-turn.js';
import { AttemptDelivery } from './attempt-delivery.js';
import { AttemptWatch } from './attempt-watch.js';
import { ENGINE_LIMITS } from './engine-limits.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';

/** Refill when this many of a lane's places are free: one claim for many sends, instead of one for each. */
const REFILL_AT = ENGINE_LIMITS.perEndpoint / 2;

/** What one process knows of a lane while attempts of it are under way here. */
interface LaneState {
  inFlight: Set<Promise<void>>;
  /** A turn ended because every place was taken: whoever finishes next must ring again. */
  ringWhenRoom: boolean;
}

/**
 * One turn of a lane: claim what is due, start it, and go on while that is quick. A turn is a slice. It ends when
 * nothing is due, when its share of deliveries or of time is used up, or when the endpoint is slow: what is under way
 * then goes on outside the turn, so that a hanging endpoint holds its own places and nobody's turn.
 */
@Injectable()
export class DrainLane {
  private readonly states = new Map<string, LaneState>();
  /** Turns and attempts of this process; none of them rejects. */
  private readonly underWay = new Set<Promise<void>>();
  private stopping = false;

  constructor(
    private readonly lanes: DeliveryLanes,
    private readonly attempt: AttemptDelivery,
    private readonly slots: DeliverySlots,
    private readonly watch: AttemptWatch,
    private readonly dispatcher: LaneDispatcher,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  async execute(lane: Lane): Promise<LaneTurn> {
    const turn = this.turn(lane);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.underWay.add(settled);
    try {
      return await turn;
    } finally {
      this.underWay.delete(settled);
    }
  }

  private async turn(lane: Lane): Promise<LaneTurn> {
    const endsAtMs = this.clock.monotonicMs() + ENGINE_LIMITS.turnMs;
    const state = this.stateOf(lane);
    let started = 0;
    while (!this.stopping) {
      if (started >= ENGINE_LIMITS.turnDeliveries || this.clock.monotonicMs() >= endsAtMs) return 'more';
      const places = ENGINE_LIMITS.perEndpoint - state.inFlight.size;
      if (places < REFILL_AT) {
        if (await this.finishesWithin(state, endsAtMs)) continue;
        state.ringWhenRoom = true;
        return 'idle';
      }
      const granted = this.slots.take(lane.tenantId, places);
      if (granted === 0) {
        await this.slots.room(lane.tenantId);
        continue;
      }
      const claims = await this.claim(lane, granted);
      started += claims.length;
      await this.start(lane, state, claims);
      if (claims.length < granted) break;
    }
    this.forget(lane, state);
    return 'idle';
  }

  /** Stops taking new work and resolves when every turn has ended and every attempt under way is recorded. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.slots.wakeAll();
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  /** Attempts under way in this process. */
  get inFlight(): number {
    return this.slots.inUse;
  }

  private async claim(lane: Lane, granted: number): Promise<ClaimedDelivery[]> {
    let claims: ClaimedDelivery[] = [];
    try {
      claims = await this.lanes.claim(lane, granted);
      return claims;
    } finally {
      this.slots.give(lane.tenantId, granted - claims.length);
    }
  }

  private async start(lane: Lane, state: LaneState, claims: readonly ClaimedDelivery[]): Promise<void> {
    if (claims.length === 0) return;
    if (this.stopping) {
      this.slots.give(lane.tenantId, claims.length);
      await this.lanes.release(claims);
      return;
    }
    const deactivated = claims.filter((claim) => !claim.subscriptionActive);
    if (deactivated.length > 0) {
      this.slots.give(lane.tenantId, deactivated.length);
      await this.lanes.abandon(deactivated, SUBSCRIPTION_DEACTIVATED);
      for (const claim of deactivated) this.watch.attempted(claim.id);
    }
    for (const claim of claims) {
      if (!claim.subscriptionActive) continue;
      const running = this.run(lane, claim).finally(() => {
        this.finished(lane, state, running);
      });
      state.inFlight.add(running);
      this.underWay.add(running);
    }
  }

  /** Never rejects: an attempt whose result could not be written is left to the sweep, which gives its lease back. */
  private async run(lane: Lane, claim: ClaimedDelivery): Promise<void> {
    try {
      const next = await this.attempt.execute(claim);
      if (next.status === 'PENDING') this.dispatcher.ringAfter(lane, next.delayMs);
      // The rest of a lane that was just deactivated ends in its next turn.
      if (next.status === 'FAILED' && next.deactivate) this.dispatcher.ring([lane]);
    } catch (cause) {
      this.logger.error(
        `The result of delivery ${claim.id} could not be recorded; the sweep will give it back`,
        {
          deliveryId: claim.id,
          cause,
        },
      );
    } finally {
      this.slots.give(lane.tenantId, 1);
      this.watch.attempted(claim.id);
    }
  }

  private finished(lane: Lane, state: LaneState, running: Promise<void>): void {
    state.inFlight.delete(running);
    this.underWay.delete(running);
    if (state.ringWhenRoom && ENGINE_LIMITS.perEndpoint - state.inFlight.size >= REFILL_AT) {
      state.ringWhenRoom = false;
      this.dispatcher.ring([lane]);
    }
    this.forget(lane, state);
  }

  /** Waits for any attempt of the lane to finish, at most until the turn ends. */
  private async finishesWithin(state: LaneState, endsAtMs: number): Promise<boolean> {
    const waitMs = Math.max(endsAtMs - this.clock.monotonicMs(), 0);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<false>((resolve) => {
      timer = setTimeout(() => {
        resolve(false);
      }, waitMs);
    });
    const any = Promise.race(state.inFlight).then(() => true as const);
    try {
      return await Promise.race([any, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  private stateOf(lane: Lane): LaneState {
    const known = this.states.get(lane.subscriptionId);
    if (known !== undefined) return known;
    const state: LaneState = { inFlight: new Set(), ringWhenRoom: false };
    this.states.set(lane.subscriptionId, state);
    return state;
  }

  private forget(lane: Lane, state: LaneState): void {
    if (state.inFlight.size === 0 && this.states.get(lane.subscriptionId) === state) {
      this.states.delete(lane.subscriptionId);
    }
  }
}
