import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BullModule, getQueueToken } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Queue } from 'bullmq';

import { AttemptWatch } from '../../src/modules/webhooks/application/attempt-watch.js';
import { LaneDispatcher } from '../../src/modules/webhooks/application/ports/lane-dispatcher.js';
import { BrokerConnectionModule } from '../../src/modules/webhooks/broker-connection.module.js';
import { BrokerTurns } from '../../src/modules/webhooks/infrastructure/queue/broker-turns.js';
import { BullmqLaneConsumer } from '../../src/modules/webhooks/infrastructure/queue/bullmq-lane-consumer.js';
import { BullmqLaneDispatcher } from '../../src/modules/webhooks/infrastructure/queue/bullmq-lane-dispatcher.js';
import { InlineLaneDispatcher } from '../../src/modules/webhooks/infrastructure/queue/inline-lane-dispatcher.js';
import { LANE_QUEUE, type RingQueue } from '../../src/modules/webhooks/infrastructure/queue/lane-queue.js';
import { LocalTurns } from '../../src/modules/webhooks/infrastructure/queue/local-turns.js';
import { PostgresBroker } from '../../src/modules/webhooks/infrastructure/queue/postgres-broker.js';
import { PostgresLaneConsumer } from '../../src/modules/webhooks/infrastructure/queue/postgres-lane-consumer.js';
import { RedisConnection } from '../../src/modules/webhooks/infrastructure/queue/redis-connection.js';
import { FakeLaneDispatcher } from '../../src/modules/webhooks/testing/fake-lane-dispatcher.js';
import { RecordingLogger } from '../../src/modules/webhooks/testing/recording-logger.js';
import { testSettings } from '../../src/modules/webhooks/testing/test-settings.js';
import { AppLogger } from '../../src/platform/kernel/app-logger.js';
import { eventually } from '../support/eventually.js';
import {
  describeWithPostgres,
  describeWithRedis,
  testDatabaseUrl,
  testRedisUrl,
} from '../support/servers.js';
import { queryOnce } from '../support/postgres-server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { laneDispatcherContract, type DispatcherHarness } from './lane-dispatcher.contract.js';

async function fake(): Promise<DispatcherHarness> {
  const dispatcher = new FakeLaneDispatcher();
  return Promise.resolve({
    dispatcher,
    waitsForAttempts: false,
    start: async (drain) => {
      dispatcher.start(drain);
      return Promise.resolve();
    },
    attempted: () => undefined,
    arrived: async () => Promise.resolve(),
    elapse: (ms) => {
      dispatcher.elapse(ms);
    },
    dispose: async () => dispatcher.settled(),
  });
}

async function inline(): Promise<DispatcherHarness> {
  const watch = new AttemptWatch();
  const dispatcher = new InlineLaneDispatcher(watch, testSettings(), new RecordingLogger());
  return Promise.resolve({
    dispatcher,
    waitsForAttempts: true,
    start: async (drain) => {
      dispatcher.start(drain);
      return Promise.resolve();
    },
    attempted: (deliveryId) => {
      watch.attempted(deliveryId);
    },
    arrived: async () => Promise.resolve(),
    elapse: null,
    dispose: async () => dispatcher.stopConsuming(),
  });
}

class LoggerModule {}

/** The broker as the webhooks module wires it, with keys of its own. */
async function onRedis(): Promise<
  DispatcherHarness & { keys(): Promise<string[]>; readonly prefix: string }
> {
  const prefix = `{contract-${randomBytes(6).toString('hex')}}`;
  const connection = BrokerConnectionModule.forRoot(testRedisUrl(), 'contract');
  const logger: DynamicModule = {
    module: LoggerModule,
    global: true,
    providers: [{ provide: AppLogger, useValue: new RecordingLogger() }],
    exports: [AppLogger],
  };
  const testing = await Test.createTestingModule({
    imports: [
      logger,
      connection,
      BullModule.registerQueueAsync({
        name: LANE_QUEUE,
        imports: [connection],
        inject: [RedisConnection],
        useFactory: ({ client }: RedisConnection) => ({ connection: client, prefix }),
      }),
    ],
    providers: [
      LocalTurns,
      BullmqLaneDispatcher,
      { provide: LaneDispatcher, useExisting: BullmqLaneDispatcher },
      BrokerTurns,
      BullmqLaneConsumer,
    ],
  }).compile();
  await testing.init();
  const dispatcher = testing.get(BullmqLaneDispatcher);
  const consumer = testing.get(BullmqLaneConsumer);
  const redis = testing.get(RedisConnection);
  await eventually(() => {
    if (!redis.ready) throw new Error('not connected');
  });
  return {
    dispatcher,
    waitsForAttempts: false,
    start: async (drain) => {
      consumer.start(drain);
      await consumer.worker.waitUntilReady();
    },
    attempted: () => undefined,
    // Commands of one connection are answered in order; a ring takes a few ticks to become one.
    arrived: async () => {
      for (let n = 0; n < 5; n += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        await redis.client.ping();
      }
    },
    elapse: null,
    prefix,
    keys: async () => redis.client.keys(`*${prefix.slice(1, -1)}*`),
    dispose: async () => {
      dispatcher.stop();
      await consumer.stopConsuming();
      await consumer.close();
      await testing.get<Queue>(getQueueToken(LANE_QUEUE)).obliterate({ force: true });
      await testing.close();
      redis.close();
    },
  };
}

/** The broker in a database, with the rings that are in it taken away. */
async function onPostgres(database: TestDatabase): Promise<DispatcherHarness> {
  // With options, as some need them in DATABASE_URL: they must not take the place of those that BullMQ adds.
  const url = new URL(database.url);
  url.searchParams.set('options', '-c lab.dispatcher=yes');
  const broker = new PostgresBroker(url.href);
  const local = new LocalTurns(new RecordingLogger());
  const sent: Promise<unknown>[] = [];
  const queue: RingQueue = {
    addBulk: async (rings) => {
      const sending = broker.queue.addBulk(rings);
      sent.push(sending);
      return sending;
    },
    on: (event, listener) => broker.queue.on(event, listener),
  };
  const logger = new RecordingLogger();
  const dispatcher = new BullmqLaneDispatcher(queue, broker, local, logger);
  const consumer = new PostgresLaneConsumer(
    broker,
    new BrokerTurns(new RecordingLogger()),
    local,
    new RecordingLogger(),
  );
  await consumer.worker.waitUntilReady();
  return {
    dispatcher,
    waitsForAttempts: false,
    start: async (drain) => {
      consumer.start(drain);
      return Promise.resolve();
    },
    attempted: () => undefined,
    // A ring takes a few ticks to become one.
    arrived: async () => {
      for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(sent);
    },
    elapse: null,
    dispose: async () => {
      dispatcher.stop();
      await consumer.stopConsuming();
      await consumer.close();
      await broker.close();
      // What the broker does not take becomes a turn all the same.
      expect(logger.messages('warn')).toEqual([]);
      await queryOnce(database.url, 'TRUNCATE bullmq.job, bullmq.dedup, bullmq.dedup_next CASCADE');
    },
  };
}

laneDispatcherContract('FakeLaneDispatcher', fake);
laneDispatcherContract('InlineLaneDispatcher', inline);
describeWithRedis('with Redis', () => {
  laneDispatcherContract('BullmqLaneDispatcher on Redis', onRedis);

  // A cluster refuses a script whose keys lie in several slots; what is in braces decides.
  it('has all of its keys under the prefix, so that braces in it keep them in one slot of a cluster', async () => {
    const harness = await onRedis();
    try {
      const lane = { tenantId: 'acme', subscriptionId: '01900000-0000-7000-8000-000000000001' };
      let turns = 0;
      await harness.start(async () => {
        turns += 1;
        return Promise.resolve();
      });
      harness.dispatcher.ring([lane]);
      await eventually(() => expect(turns).toBe(1));
      const keys = await harness.keys();
      expect(keys.length).toBeGreaterThan(0);
      expect(keys.filter((key) => !key.startsWith(`${harness.prefix}:`))).toEqual([]);
    } finally {
      await harness.dispose();
    }
  });
});
describeWithPostgres('with PostgreSQL', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase(testDatabaseUrl());
  });
  afterAll(async () => {
    await database.drop();
  });

  laneDispatcherContract('BullmqLaneDispatcher on PostgreSQL', () => onPostgres(database));
});
