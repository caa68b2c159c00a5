import {
  EventIntake,
  type BirthPlaces,
  type IntakeResult,
  type RequestedEvent,
} from '../application/ports/event-intake.js';
import type { InMemoryDeliveryLanes } from './in-memory-delivery-lanes.js';
import type { InMemoryEventOutbox } from './in-memory-event-outbox.js';
import type { InMemoryStore } from './in-memory-store.js';

/** Stores what requests bring as the outbox would, and claims what there are places for. */
export class InMemoryEventIntake extends EventIntake {
  constructor(
    private readonly store: InMemoryStore,
    private readonly outbox: InMemoryEventOutbox,
    private readonly lanes: InMemoryDeliveryLanes,
    private readonly places: BirthPlaces,
  ) {
    super();
  }

  override async accept(event: RequestedEvent): Promise<IntakeResult> {
    const { idempotencyKey: key, fingerprint } = event;
    const result = await this.outbox.append(
      { handle: null, tenantId: event.tenantId },
      { ...event, idempotency: key === null ? null : { key, fingerprint }, onlyIfMatched: true },
    );
    if (result.kind !== 'stored') return result;
    const born = result.lanes.map((lane, n) => ({
      ...{ lane, id: result.deliveryIds[n] ?? '' },
      claims: this.claimsOf(lane, result.deliveryIds),
    }));
    return {
      kind: 'stored',
      deliveryIds: result.deliveryIds,
      born: born.flatMap(({ lane, claims }) => (claims.length === 0 ? [] : [{ lane, claims }])),
      waiting: born.flatMap(({ lane, id, claims }) => (claims.length === 0 ? [{ lane, id }] : [])),
    };
  }

  private claimsOf(
    lane: Parameters<InMemoryDeliveryLanes['bear']>[0],
    deliveryIds: readonly string[],
  ): ReturnType<InMemoryDeliveryLanes['bear']> {
    if (this.places.freePlacesOfUnknown === null) return [];
    const ids = deliveryIds.filter(
      (id) => this.store.deliveries.get(id)?.subscriptionId === lane.subscriptionId,
    );
    return this.lanes.bear(lane, ids, this.places.freePlaces(lane), this.places.taken(lane));
  }
}
