import { randomBytes } from 'node:crypto';

import { BullModule, getQueueToken } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Queue } from 'bullmq';

import { AttemptWatch } from '../../src/modules/webhooks/application/attempt-watch.js';
import { LaneDispatcher } from '../../src/modules/webhooks/application/ports/lane-dispatcher.js';
import { BrokerConnectionModule } from '../../src/modules/webhooks/broker-connection.module.js';
import { BullmqLaneConsumer } from '../../src/modules/webhooks/infrastructure/queue/bullmq-lane-consumer.js';
import { BullmqLaneDispatcher } from '../../src/modules/webhooks/infrastructure/queue/bullmq-lane-dispatcher.js';
import { InlineLaneDispatcher } from '../../src/modules/webhooks/infrastructure/queue/inline-lane-dispatcher.js';
import { LANE_QUEUE } from '../../src/modules/webhooks/infrastructure/queue/lane-queue.js';
import { LocalTurns } from '../../src/modules/webhooks/infrastructure/queue/local-turns.js';
import { RedisConnection } from '../../src/modules/webhooks/infrastructure/queue/redis-connection.js';
import { FakeLaneDispatcher } from '../../src/modules/webhooks/testing/fake-lane-dispatcher.js';
import { RecordingLogger } from '../../src/modules/webhooks/testing/recording-logger.js';
import { testSettings } from '../../src/modules/webhooks/testing/test-settings.js';
import { AppLogger } from '../../src/platform/kernel/app-logger.js';
import { eventually } from '../support/eventually.js';
import { describeWithRedis, testRedisUrl } from '../support/servers.js';
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
async function brokered(): Promise<DispatcherHarness> {
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
        useFactory: ({ client }: RedisConnection) => ({
          connection: client,
          prefix: `contract-${randomBytes(6).toString('hex')}`,
        }),
      }),
    ],
    providers: [
      LocalTurns,
      BullmqLaneDispatcher,
      { provide: LaneDispatcher, useExisting: BullmqLaneDispatcher },
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

laneDispatcherContract('FakeLaneDispatcher', fake);
laneDispatcherContract('InlineLaneDispatcher', inline);
describeWithRedis('with Redis', () => {
  laneDispatcherContract('BullmqLaneDispatcher', brokered);
});
