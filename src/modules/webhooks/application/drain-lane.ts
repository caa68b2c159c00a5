import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { Clock } from '../../../platform/kernel/clock.js';
import { AttemptSlots } from '../domain/attempt-slots.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { Lane } from '../domain/lane.js';
import type { TurnVerdict } from '../domain/turn-verdict.js';
import { AttemptDelivery } from './attempt-delivery.js';
import { AttemptWatch } from './attempt-watch.js';
import type { AttemptsUnderWay } from './attempts-under-way.js';
import { GiveBack } from './give-back.js';
import { LanePlaces } from './lane-places.js';
import { NewbornDeliveries } from './newborn-deliveries.js';
import { OwnWork } from './own-work.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { BirthPlaces } from './ports/event-intake.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';
import { RunAttempts } from './run-attempts.js';
import { TakeTurn } from './take-turn.js';
import { UnrecordedResults } from './unrecorded-results.js';

/**
 * The engine of one process: turns of lanes, the attempts that follow from them, and deliveries that are born here. When
 * places of an endpoint come free, this process goes on with the lane by itself; when there was no slot, the lane is parked
 * and called. Which slots a lane may fill follows from how its endpoint answers.
 */
@Injectable()
export class DrainLane extends BirthPlaces implements AttemptsUnderWay {
  private readonly work = new OwnWork();
  private readonly places: LanePlaces;
  private readonly attempts: RunAttempts;
  private readonly newborn: NewbornDeliveries;
  private readonly turns: TakeTurn;

  constructor(
    lanes: DeliveryLanes,
    attempt: AttemptDelivery,
    private readonly slots: AttemptSlots,
    watch: AttemptWatch,
    dispatcher: LaneDispatcher,
    clock: Clock,
    private readonly logger: AppLogger,
  ) {
    super();
    const { work } = this;
    const goOnWith = (called: readonly Lane[]): void => {
      this.call(called);
    };
    const places = new LanePlaces(slots);
    const giveBack = new GiveBack(lanes, watch, dispatcher, logger);
    const here = { slots, places, unrecorded: new UnrecordedResults(goOnWith), work, goOnWith };
    const attempts = new RunAttempts({ ...here, attempt, lanes, watch, dispatcher, clock, logger });
    this.places = places;
    this.attempts = attempts;
    this.newborn = new NewbornDeliveries({ ...here, giveBack, attempts });
    this.turns = new TakeTurn({ ...here, giveBack, attempts, lanes, dispatcher, watch });
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

  /**
   * Takes a turn of the lane.
   *
   * @returns how it ended; whatever follows from that is done already
   * @throws what the claim throws: the lane is then left to the sweep
   */
  async execute(lane: Lane): Promise<TurnVerdict> {
    const turn = this.turns.execute(lane);
    this.work.track(
      turn.then(
        () => undefined,
        () => undefined,
      ),
    );
    return turn;
  }

  /**
   * An attempt beside all turns: it takes no slot, and this process waits for it before it ends.
   *
   * @throws what the attempt throws
   */
  async accompany(attempt: Promise<void>): Promise<void> {
    this.work.track(
      attempt.then(
        () => undefined,
        () => undefined,
      ),
    );
    return attempt;
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
