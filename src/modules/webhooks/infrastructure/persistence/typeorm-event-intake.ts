import { Injectable } from '@nestjs/common';

import { IdGenerator } from '../../../../platform/kernel/id-generator.js';
import { DeliverySettings } from '../../application/delivery-settings.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import {
  BirthPlaces,
  EventIntake,
  type IntakeResult,
  type RequestedEvent,
} from '../../application/ports/event-intake.js';
import { acceptEvents, type AcceptResult, type Births } from './accept-events.js';
import { Batcher } from './batcher.js';
import { FannedOut } from './fanned-out.js';
import { HotStatements } from './hot-statements.js';
import { KnownFilters, type Judgements } from './known-filters.js';
import { LeaseOwner } from './lease-owner.js';

/** Events that share one statement at most: what one of them waits for the others stays small. */
const MAX_BATCH = 64;

/** Events whose lanes are remembered. */
const REMEMBERED = 20_000;

/** Stores what concurrent requests bring in one statement, one at a time: two would meet in the locks of their lanes. */
@Injectable()
export class TypeormEventIntake extends EventIntake {
  private readonly leaseMs: number;
  private readonly fannedOut = new FannedOut(REMEMBERED);
  private readonly requests: Batcher<JudgedRequest, AcceptResult>;

  constructor(
    private readonly statements: HotStatements,
    private readonly places: BirthPlaces,
    private readonly owner: LeaseOwner,
    private readonly ids: IdGenerator,
    private readonly filters: KnownFilters,
    settings: DeliverySettings,
  ) {
    super();
    this.leaseMs = settings.timeoutMs + ENGINE_LIMITS.leaseMarginMs;
    this.requests = new Batcher((requests) => this.acceptAll(requests), { maxBatch: MAX_BATCH, parallel: 1 });
  }

  override async accept(event: RequestedEvent): Promise<IntakeResult> {
    return this.filters.decide(event, (judgements) => this.requests.add({ event, judgements }));
  }

  private async acceptAll(requests: readonly JudgedRequest[]): Promise<AcceptResult[]> {
    const events = requests.map(({ event }) => event);
    const births: Births = {
      lanes: this.fannedOut.lanesOf(events).map((lane) => ({
        id: lane.subscriptionId,
        places: this.places.freePlaces(lane),
        left: ENGINE_LIMITS.perEndpoint - this.places.taken(lane),
      })),
      unknownPlaces: this.places.freePlacesOfUnknown,
      perLane: ENGINE_LIMITS.perEndpoint,
      most: ENGINE_LIMITS.bornAtOnce,
      lease: {
        token: this.ids.next(),
        owner: this.owner.id,
        ms: this.leaseMs,
        marginMs: ENGINE_LIMITS.leaseMarginMs,
      },
    };
    const judgements = requests.map((request) => request.judgements);
    const results = await acceptEvents(this.statements, events, births, judgements);
    this.fannedOut.learn(events, results);
    return results;
  }
}

/** An event with what is known of the filters that listen to it. */
interface JudgedRequest {
  readonly event: RequestedEvent;
  readonly judgements: Judgements | null;
}
