import type pg from 'pg';
import { DataSource } from 'typeorm';

import { ENGINE_LIMITS } from '../../../src/modules/webhooks/application/engine-limits.js';
import type { HeldDeliveries } from '../../../src/modules/webhooks/application/ports/held-deliveries.js';
import type { DeliveryState } from '../../../src/modules/webhooks/domain/delivery-transitions.js';
import { AttemptRow } from '../../../src/modules/webhooks/infrastructure/persistence/attempt.row.js';
import { DeliveryRow } from '../../../src/modules/webhooks/infrastructure/persistence/delivery.row.js';
import { EventRow } from '../../../src/modules/webhooks/infrastructure/persistence/event.row.js';
import { HotStatements } from '../../../src/modules/webhooks/infrastructure/persistence/hot-statements.js';
import { KnownFilters } from '../../../src/modules/webhooks/infrastructure/persistence/known-filters.js';
import { LaneRow } from '../../../src/modules/webhooks/infrastructure/persistence/lane.row.js';
import { LeaseOwner } from '../../../src/modules/webhooks/infrastructure/persistence/lease-owner.js';
import { RingAfterCommitSubscriber } from '../../../src/modules/webhooks/infrastructure/persistence/ring-after-commit.subscriber.js';
import { SubscriptionRow } from '../../../src/modules/webhooks/infrastructure/persistence/subscription.row.js';
import { TypeormDeliveryLanes } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-delivery-lanes.js';
import { TypeormDeliveryRepository } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-delivery-repository.js';
import { TypeormEventIntake } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-event-intake.js';
import { TypeormEventOutbox } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-event-outbox.js';
import { TypeormExpiredHistory } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-expired-history.js';
import { TypeormHeldDeliveries } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-held-deliveries.js';
import { TypeormLaneCircuits } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-lane-circuits.js';
import { TypeormLanePauses } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-lane-pauses.js';
import { TypeormSubscriptionRepository } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-subscription-repository.js';
import { TypeormTransactions } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { WorkerRow } from '../../../src/modules/webhooks/infrastructure/persistence/worker.row.js';
import { WorkerTransaction } from '../../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { FakeBirthPlaces } from '../../../src/modules/webhooks/testing/fake-birth-places.js';
import { FakeClock } from '../../../src/modules/webhooks/testing/fake-clock.js';
import { FakeLaneDispatcher } from '../../../src/modules/webhooks/testing/fake-lane-dispatcher.js';
import { RecordingDeliveryMetrics } from '../../../src/modules/webhooks/testing/recording-delivery-metrics.js';
import { RecordingLogger } from '../../../src/modules/webhooks/testing/recording-logger.js';
import { testSettings } from '../../../src/modules/webhooks/testing/test-settings.js';
import { dataSourceOptions } from '../../../src/platform/database/data-source-options.js';
import { TenantTransaction } from '../../../src/platform/database/tenant-transaction.js';
import { UuidV7Generator } from '../../../src/platform/kernel/uuid.js';
import { eventually } from '../../support/eventually.js';
import { createMigratedDatabase } from '../../support/migrated-database.js';
import type { TestDatabase } from '../../support/test-database.js';
import type { PersistenceHarness } from './harness.js';

/* Time is the database's: instead of waiting, what is stored grows older. */
const ELAPSE = `
WITH passed AS (SELECT $1::float8 * interval '1 millisecond' AS span), events AS (
  UPDATE webhook_events SET created_at = created_at - span FROM passed
), lanes AS (
  UPDATE webhook_lanes SET paused_at = paused_at - span, next_probe_at = next_probe_at - span, circuit_opened_at = circuit_opened_at - span,
                           failing_since = failing_since - span, counted_from = counted_from - span,
                           held_until = held_until - span, rate_next_at = rate_next_at - span,
                           recent_bucket = recent_bucket - floor(extract(epoch FROM span) / 30)::int
    FROM passed
)
UPDATE webhook_deliveries SET next_attempt_at = next_attempt_at - span, leased_until = leased_until - span,
                              held_until = held_until - span, held_since = held_since - span,
                              created_at = created_at - span, updated_at = updated_at - span
  FROM passed`;

const STATE = `
SELECT status, attempts, auto_attempts AS "autoAttempts", next_trigger AS "nextTrigger", is_retry AS "isRetry", interruptions,
       last_error AS "lastError"
  FROM webhook_deliveries WHERE id = $1`;

/** Every table of the module, in one round trip: rows go much faster than a database comes. */
const EMPTY = `
DO $$ DECLARE tab regclass; BEGIN
  SET LOCAL session_replication_role = replica;
  SET LOCAL lock_timeout = '20s';
  FOR tab IN SELECT oid FROM pg_class
              WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname LIKE 'webhook%' LOOP
    EXECUTE format('DELETE FROM %s', tab);
  END LOOP;
END $$`;

/** What the database alone can do comes on top of what is held against the fakes. */
export type TypeormHarness = PersistenceHarness & { readonly held: HeldDeliveries };

/**
 * The real adapters, each time on an empty storage and with what a process knows begun anew; `close` removes the database that
 * they share. Its connections they share as well: each plans every function at its first call, which takes longer than a test.
 */
export function typeormStorages(): { open: () => Promise<TypeormHarness>; close: () => Promise<void> } {
  let storage: Promise<Storage> | undefined;
  return {
    open: async () => {
      storage ??= openStorage();
      const { dataSource } = await storage;
      await dataSource.query(EMPTY);
      return harnessOn(dataSource);
    },
    close: async () => {
      const opened = await storage;
      await opened?.dataSource.destroy();
      await opened?.database.drop();
    },
  };
}

interface Storage {
  readonly database: TestDatabase;
  readonly dataSource: DataSource;
}

async function openStorage(): Promise<Storage> {
  const database = await createMigratedDatabase();
  const dataSource = await new DataSource({
    ...dataSourceOptions(database.url, 10),
    entities: [SubscriptionRow, EventRow, DeliveryRow, AttemptRow, WorkerRow, LaneRow],
  }).initialize();
  return { database, dataSource };
}

/** Nothing of a test that has ended may still be written. */
async function untilIdle({ driver }: DataSource): Promise<void> {
  const { master } = driver as DataSource['driver'] & { readonly master: pg.Pool };
  await eventually(() => {
    const busy = master.totalCount - master.idleCount + master.waitingCount;
    if (busy > 0) throw new Error(`${busy} connections are busy`);
  });
}

async function harnessOn(dataSource: DataSource): Promise<TypeormHarness> {
  const ids = new UuidV7Generator();
  const dispatcher = new FakeLaneDispatcher();
  const metrics = new RecordingDeliveryMetrics();
  const ring = new RingAfterCommitSubscriber(dataSource, dispatcher, metrics);
  if (!dataSource.subscribers.includes(ring)) throw new Error('nothing would ring after a commit');
  const transactions = new WorkerTransaction(dataSource);
  const statements = new HotStatements(dataSource);
  const clock = new FakeClock();
  const lanesOf = (owner: LeaseOwner): TypeormDeliveryLanes =>
    new TypeormDeliveryLanes(
      statements,
      transactions,
      owner,
      ids,
      clock,
      testSettings(),
      new RecordingLogger(),
    );
  // Processes that live for as long as the test: what becomes of dead ones is tested apart.
  const owners = [new LeaseOwner(ids), new LeaseOwner(ids)].map((owner) =>
    Object.assign(owner, { aliveMs: 3_600_000 }),
  );
  const [lanes, otherLanes] = owners.map(lanesOf);
  const places = new FakeBirthPlaces();
  const filters = new KnownFilters(new RecordingLogger());
  // A process that has just come takes nothing from others for a while.
  for (const ofProcess of [lanes!, otherLanes!]) await ofProcess.beat();
  clock.advance(ENGINE_LIMITS.aliveMs);
  return {
    transactions: new TypeormTransactions(new TenantTransaction(dataSource)),
    subscriptions: new TypeormSubscriptionRepository(),
    deliveries: new TypeormDeliveryRepository(),
    outbox: new TypeormEventOutbox(filters),
    intake: new TypeormEventIntake(statements, places, owners[0]!, ids, filters, testSettings()),
    places,
    lanes: lanes!,
    pauses: new TypeormLanePauses(),
    circuits: new TypeormLaneCircuits(),
    otherLanes: otherLanes!,
    history: new TypeormExpiredHistory(transactions),
    held: new TypeormHeldDeliveries(transactions),
    dispatcher,
    metrics,
    ids,
    stateOf: async (id) => {
      const [state] = await dataSource.query<DeliveryState[]>(STATE, [id]);
      if (state === undefined) throw new Error(`no delivery ${id}`);
      return state;
    },
    orderOf: async (id) => {
      const [row] = await dataSource.query<{ orderingKey: string | null }[]>(
        'SELECT ordering_key AS "orderingKey" FROM webhook_deliveries WHERE id = $1',
        [id],
      );
      return { orderingKey: row?.orderingKey ?? null };
    },
    elapse: async (ms) => {
      clock.advance(ms);
      await dataSource.query(ELAPSE, [ms]);
    },
    dispose: async () => {
      await untilIdle(dataSource);
      dataSource.subscribers.splice(0);
    },
  };
}
