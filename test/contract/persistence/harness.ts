import type { DeliveryLanes } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import type { DeliveryRepository } from '../../../src/modules/webhooks/application/ports/delivery-repository.js';
import type { ExpiredHistory } from '../../../src/modules/webhooks/application/ports/expired-history.js';
import type { EventIntake } from '../../../src/modules/webhooks/application/ports/event-intake.js';
import type {
  AppendResult,
  EventOutbox,
  NewEvent,
} from '../../../src/modules/webhooks/application/ports/event-outbox.js';
import type { LaneCircuits } from '../../../src/modules/webhooks/application/ports/lane-circuits.js';
import type { LanePauses } from '../../../src/modules/webhooks/application/ports/lane-pauses.js';
import type { SubscriptionRepository } from '../../../src/modules/webhooks/application/ports/subscription-repository.js';
import type { TenantTransactions } from '../../../src/modules/webhooks/application/ports/transaction.js';
import type { ClaimedDelivery } from '../../../src/modules/webhooks/domain/delivery.js';
import type { DeliveryState } from '../../../src/modules/webhooks/domain/delivery-transitions.js';
import type { Lane } from '../../../src/modules/webhooks/domain/lane.js';
import { DEFAULT_SETTINGS } from '../../../src/modules/webhooks/domain/subscription-settings.js';
import type { FakeBirthPlaces } from '../../../src/modules/webhooks/testing/fake-birth-places.js';
import type { FakeLaneDispatcher } from '../../../src/modules/webhooks/testing/fake-lane-dispatcher.js';
import type { RecordingDeliveryMetrics } from '../../../src/modules/webhooks/testing/recording-delivery-metrics.js';
import type { IdGenerator } from '../../../src/platform/kernel/id-generator.js';

export const TENANT = 'acme';
/** Milliseconds of a lease in both harnesses: the time budget of an attempt and the margin for writing its result. */
export const LEASE_MS = 15_000;

/** One kind of storage with every port over it. */
export interface PersistenceHarness {
  readonly transactions: TenantTransactions;
  readonly subscriptions: SubscriptionRepository;
  readonly deliveries: DeliveryRepository;
  readonly outbox: EventOutbox;
  readonly lanes: DeliveryLanes;
  readonly pauses: LanePauses;
  readonly circuits: LaneCircuits;
  /** The lanes as another process has them. */
  readonly otherLanes: DeliveryLanes;
  readonly intake: EventIntake;
  /** What the process that stores could send itself; nothing unless a test says so. */
  readonly places: FakeBirthPlaces;
  readonly history: ExpiredHistory;
  /** What was rung and counted after commits. */
  readonly dispatcher: FakeLaneDispatcher;
  readonly metrics: RecordingDeliveryMetrics;
  readonly ids: IdGenerator;
  /** All that changes of a delivery. */
  stateOf(id: string): Promise<DeliveryState>;
  /** Where a delivery stands in the order of its endpoint. */
  orderOf(id: string): Promise<{ readonly orderingKey: string | null }>;
  /** Lets `ms` milliseconds pass for everything that is stored. */
  elapse(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** Stores a subscription of the tenant and gives its lane. */
export async function subscribe(
  harness: PersistenceHarness,
  {
    event = 'thing.done',
    events = [event] as readonly string[],
    url = 'https://hooks.customer.com/in',
    tenantId = TENANT,
    settings = DEFAULT_SETTINGS,
    description = null as string | null,
    filter = null as string | null,
  } = {},
): Promise<Lane> {
  const id = harness.ids.next();
  await harness.transactions.run(tenantId, (transaction) =>
    harness.subscriptions.insert(transaction, {
      ...{ id, tenantId, events, url, settings, description, filter },
      sealedSecret: `sealed ${id}`,
    }),
  );
  return { tenantId, subscriptionId: id };
}

export function newEvent(harness: PersistenceHarness, change: Partial<NewEvent> = {}): NewEvent {
  return {
    id: harness.ids.next(),
    tenantId: TENANT,
    event: 'thing.done',
    patterns: ['thing.done', 'thing.*', '*'],
    payload: '{"b":1,"a":2}',
    idempotency: null,
    onlyIfMatched: false,
    ...change,
  };
}

/** Appends an event in a transaction of its own. */
export async function append(
  harness: PersistenceHarness,
  change: Partial<NewEvent> = {},
): Promise<AppendResult> {
  const event = newEvent(harness, change);
  return harness.transactions.run(event.tenantId, (transaction) => harness.outbox.append(transaction, event));
}

/** Appends `count` events one after the other and gives the ids of their deliveries, oldest first. */
export async function deliverEvents(harness: PersistenceHarness, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const result = await append(harness, { payload: `{"n":${n}}` });
    if (result.kind === 'stored') ids.push(...result.deliveryIds);
  }
  return ids;
}

/** Claims, where only what was got is of interest. */
export async function claimFrom(
  lanes: DeliveryLanes,
  lane: Lane,
  limit: number,
  retryLimit?: number,
): Promise<readonly ClaimedDelivery[]> {
  return (await lanes.claim(lane, { limit, ...(retryLimit === undefined ? {} : { retryLimit }) })).claims;
}
