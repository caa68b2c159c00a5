import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';

import { AttemptRow } from '../../src/modules/webhooks/infrastructure/persistence/attempt.row.js';
import { DeliveryRow } from '../../src/modules/webhooks/infrastructure/persistence/delivery.row.js';
import { SubscriptionRow } from '../../src/modules/webhooks/infrastructure/persistence/subscription.row.js';
import { TaskRow } from '../../src/modules/webhooks/infrastructure/persistence/task.row.js';
import { TypeormSubscriptionRepository } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-subscription-repository.js';
import { TypeormTaskRepository } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-task-repository.js';
import { TypeormTaskSteps } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-task-steps.js';
import { TypeormTransactions } from '../../src/modules/webhooks/infrastructure/persistence/typeorm-transactions.js';
import { WorkerTransaction } from '../../src/modules/webhooks/infrastructure/persistence/worker-transaction.js';
import { RecordingLogger } from '../../src/modules/webhooks/testing/recording-logger.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { TenantTransaction } from '../../src/platform/database/tenant-transaction.js';
import { UuidV7Generator } from '../../src/platform/kernel/uuid.js';
import { createMigratedDatabase } from '../support/migrated-database.js';
import { describeWithPostgres } from '../support/servers.js';
import type { TestDatabase } from '../support/test-database.js';

const TENANT = 'release';

const FAILED = `
WITH event AS (
  INSERT INTO webhook_events (tenant_id, id, event, payload)
    SELECT $1, webhook_uuid_v7(), 'thing.done', '{}' FROM generate_series(1, $3::int)
  RETURNING *
)
INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, status, attempts, auto_attempts, target_url,
                                next_attempt_at)
  SELECT tenant_id, webhook_uuid_v7(), id, $2, event, 'FAILED', 1, 1, 'https://hooks.customer.com/', NULL FROM event`;

describeWithPostgres('a task over many deliveries', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let transactions: TypeormTransactions;
  let steps: TypeormTaskSteps;
  const ids = new UuidV7Generator();
  const tasks = new TypeormTaskRepository();

  beforeAll(async () => {
    database = await createMigratedDatabase();
    dataSource = await new DataSource({
      ...dataSourceOptions(database.url, 4),
      entities: [SubscriptionRow, DeliveryRow, AttemptRow, TaskRow],
    }).initialize();
    transactions = new TypeormTransactions(new TenantTransaction(dataSource));
    steps = new TypeormTaskSteps(new WorkerTransaction(dataSource), new RecordingLogger());
  }, 180_000);

  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const failedTo = async (count: number): Promise<string> => {
    const id = ids.next();
    await transactions.run(TENANT, (transaction) =>
      new TypeormSubscriptionRepository().insert(transaction, {
        ...{ id, tenantId: TENANT, events: ['thing.done'], sealedSecret: 'sealed' },
        url: `https://hooks.customer.com/${id}`,
      }),
    );
    await dataSource.query(FAILED, [TENANT, id, count]);
    return id;
  };

  const start = async (subscriptionId?: string): Promise<string> =>
    transactions.run(TENANT, async (transaction) => {
      const work = { kind: 'retry_deliveries', selection: { status: 'FAILED', subscriptionId } } as const;
      const { count: total, skipped } = await tasks.count(transaction, work);
      const id = ids.next();
      await tasks.insert(transaction, {
        ...{ id, tenantId: TENANT, createdBy: 'ana', work, total, skipped, idempotency: null },
      });
      return id;
    });

  const stateOf = async (id: string): Promise<object> => {
    const task = await transactions.run(TENANT, (transaction) => tasks.find(transaction, id));
    return { status: task?.status, done: task?.done, total: task?.total };
  };

  const arrived = async (count: number): Promise<unknown> =>
    dataSource.query(
      `UPDATE webhook_deliveries SET status = 'DELIVERED' WHERE id IN (
         SELECT id FROM webhook_deliveries WHERE status = 'PENDING' LIMIT $1)`,
      [count],
    );

  // Red when all of it is made due at once: what is emitted meanwhile waits for all of it.
  it('makes no more of it due than is sent', async () => {
    const subscriptionId = await failedTo(130);
    const task = await start(subscriptionId);
    const lane = { tenantId: TENANT, subscriptionId };
    expect(await steps.next(100)).toEqual({ lanes: [lane], isWaiting: false });
    expect(await stateOf(task)).toEqual({ status: 'RUNNING', done: 100, total: 130 });
    expect(await steps.next(100)).toEqual({ lanes: [], isWaiting: true });
    await arrived(20);
    expect(await steps.next(100)).toEqual({ lanes: [lane], isWaiting: false });
    expect(await stateOf(task)).toEqual({ status: 'RUNNING', done: 120, total: 130 });
    await arrived(100);
    await steps.next(100);
    expect(await stateOf(task)).toEqual({ status: 'DONE', done: 130, total: 130 });
    await arrived(10);
    expect(await steps.next(100)).toBeNull();
  });

  it('goes on beside an endpoint that is paused, where it is over several', async () => {
    const paused = await failedTo(3);
    await dataSource.query('UPDATE webhook_lanes SET paused_at = now() WHERE subscription_id = $1', [paused]);
    await failedTo(3);
    const ofOne = await start(paused);
    expect(await steps.next(2)).toMatchObject({ isWaiting: false });
    expect(await steps.next(2)).toMatchObject({ isWaiting: true });
    await transactions.run(TENANT, (transaction) => tasks.cancel(transaction, ofOne));
    const ofAll = await start();
    expect(await stateOf(ofAll)).toMatchObject({ total: 4 });
    // The oldest first, which are those of the paused one.
    for (let n = 0; n < 3; n += 1) {
      expect(await steps.next(2)).toMatchObject({ isWaiting: false });
      await dataSource.query(
        `UPDATE webhook_deliveries SET status = 'DELIVERED' WHERE status = 'PENDING' AND subscription_id <> $1`,
        [paused],
      );
    }
    expect(await stateOf(ofAll)).toMatchObject({ status: 'DONE', done: 4 });
  });
});
