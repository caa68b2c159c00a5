import { FakeBirthPlaces } from '../../../src/modules/webhooks/testing/fake-birth-places.js';
import { FakeClock } from '../../../src/modules/webhooks/testing/fake-clock.js';
import { FakeLaneDispatcher } from '../../../src/modules/webhooks/testing/fake-lane-dispatcher.js';
import { InMemoryDeliveryLanes } from '../../../src/modules/webhooks/testing/in-memory-delivery-lanes.js';
import { InMemoryDeliveryRepository } from '../../../src/modules/webhooks/testing/in-memory-delivery-repository.js';
import { InMemoryEventIntake } from '../../../src/modules/webhooks/testing/in-memory-event-intake.js';
import { InMemoryEventOutbox } from '../../../src/modules/webhooks/testing/in-memory-event-outbox.js';
import { InMemoryExpiredHistory } from '../../../src/modules/webhooks/testing/in-memory-expired-history.js';
import { InMemoryLaneCircuits } from '../../../src/modules/webhooks/testing/in-memory-lane-circuits.js';
import { InMemoryLanePauses } from '../../../src/modules/webhooks/testing/in-memory-lane-pauses.js';
import { InMemoryStore } from '../../../src/modules/webhooks/testing/in-memory-store.js';
import { InMemorySubscriptionRepository } from '../../../src/modules/webhooks/testing/in-memory-subscription-repository.js';
import { InMemoryTransactions } from '../../../src/modules/webhooks/testing/in-memory-transactions.js';
import { RecordingDeliveryMetrics } from '../../../src/modules/webhooks/testing/recording-delivery-metrics.js';
import { SequentialIds } from '../../../src/modules/webhooks/testing/sequential-ids.js';
import { LEASE_MS, type PersistenceHarness } from './harness.js';

export async function inMemoryHarness(): Promise<PersistenceHarness> {
  const clock = new FakeClock();
  const store = new InMemoryStore(clock);
  const ids = new SequentialIds();
  const dispatcher = new FakeLaneDispatcher();
  const metrics = new RecordingDeliveryMetrics();
  const outbox = new InMemoryEventOutbox(store, ids, dispatcher, metrics);
  const lanes = new InMemoryDeliveryLanes(store, ids, LEASE_MS);
  const places = new FakeBirthPlaces();
  return Promise.resolve({
    transactions: new InMemoryTransactions(store),
    subscriptions: new InMemorySubscriptionRepository(store),
    deliveries: new InMemoryDeliveryRepository(store),
    outbox,
    intake: new InMemoryEventIntake(store, outbox, lanes, places),
    places,
    history: new InMemoryExpiredHistory(store),
    lanes,
    pauses: new InMemoryLanePauses(store),
    circuits: new InMemoryLaneCircuits(store),
    otherLanes: new InMemoryDeliveryLanes(store, ids, LEASE_MS, 'another process'),
    dispatcher,
    metrics,
    ids,
    stateOf: async (id) => {
      const row = store.deliveries.get(id);
      if (row === undefined) throw new Error(`no delivery ${id}`);
      const { status, attempts, autoAttempts, nextTrigger, isRetry, interruptions, lastError } = row;
      return Promise.resolve({
        ...{ status, attempts, autoAttempts, nextTrigger, isRetry, interruptions, lastError },
      });
    },
    orderOf: async (id) => Promise.resolve({ orderingKey: store.deliveries.get(id)?.orderingKey ?? null }),
    elapse: async (ms) => {
      clock.advance(ms);
      return Promise.resolve();
    },
    dispose: async () => Promise.resolve(),
  });
}
