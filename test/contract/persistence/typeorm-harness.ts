import { DataSource } from 'typeorm';

import { AttemptRow } from '../../../src/modules/webhooks/infrastructure/persistence/attempt.row.js';
import { DeliveryRow } from '../../../src/modules/webhooks/infrastructure/persistence/delivery.row.js';
import { EventRow } from '../../../src/modules/webhooks/infrastructure/persistence/event.row.js';
import { RingAfterCommitSubscriber } from '../../../src/modules/webhooks/infrastructure/persistence/ring-after-commit.subscriber.js';
import { SubscriptionRow } from '../../../src/modules/webhooks/infrastructure/persistence/subscription.row.js';
import { TypeormDeliveryLanes } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-delivery-lanes.js';
import { TypeormDeliveryRepository } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-delivery-repository.js';
import { TypeormEventOutbox } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-event-outbox.js';
import { TypeormExpiredHistory } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-expired-history.js';
import { TypeormSubscriptionRepository } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-subscription-repository.js';
import { TypeormTransactions } from '../../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { WorkerTransaction } from '../../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { FakeLaneDispatcher } from '../../../src/modules/webhooks/testing/fake-lane-dispatcher.js';
import { RecordingDeliveryMetrics } from '../../../src/modules/webhooks/testing/recording-delivery-metrics.js';
import { testSettings } from '../../../src/modules/webhooks/testing/test-settings.js';
import { dataSourceOptions } from '../../../src/platform/database/data-source-options.js';
import { migrate } from '../../../src/platform/database/migrate.js';
import { TenantTransaction } from '../../../src/platform/database/tenant-transaction.js';
import { UuidV7Generator } from '../../../src/platform/kernel/uuid.js';
import { testDatabaseUrl } from '../../support/servers.js';
import { createTestDatabase, preparedTemplate } from '../../support/test-database.js';
import type { PersistenceHarness } from './harness.js';

/* Time is the database's: instead of waiting, what is stored grows older. */
const ELAPSE = `
WITH passed AS (SELECT $1::float8 * interval '1 millisecond' AS span), events AS (
  UPDATE webhook_events SET created_at = created_at - span FROM passed
)
UPDATE webhook_deliveries SET next_attempt_at = next_attempt_at - span, leased_until = leased_until - span,
                              created_at = created_at - span, updated_at = updated_at - span
  FROM passed`;

/** The real adapters on a database of their own. */
export async function typeormHarness(): Promise<PersistenceHarness> {
  const template = await preparedTemplate(testDatabaseUrl(), 'all-migrations', async (url) => {
    await migrate(url);
  });
  const database = await createTestDatabase(testDatabaseUrl(), { template });
  const dataSource = await new DataSource({
    ...dataSourceOptions(database.url, 10),
    entities: [SubscriptionRow, EventRow, DeliveryRow, AttemptRow],
  }).initialize();
  const ids = new UuidV7Generator();
  const dispatcher = new FakeLaneDispatcher();
  const metrics = new RecordingDeliveryMetrics();
  const ring = new RingAfterCommitSubscriber(dataSource, dispatcher, metrics);
  if (!dataSource.subscribers.includes(ring)) throw new Error('nothing would ring after a commit');
  return {
    transactions: new TypeormTransactions(new TenantTransaction(dataSource)),
    subscriptions: new TypeormSubscriptionRepository(),
    deliveries: new TypeormDeliveryRepository(),
    outbox: new TypeormEventOutbox(),
    lanes: new TypeormDeliveryLanes(new WorkerTransaction(dataSource), ids, testSettings()),
    history: new TypeormExpiredHistory(new WorkerTransaction(dataSource)),
    dispatcher,
    metrics,
    ids,
    elapse: async (ms) => {
      await dataSource.query(ELAPSE, [ms]);
    },
    dispose: async () => {
      await dataSource.destroy();
      await database.drop();
    },
  };
}
