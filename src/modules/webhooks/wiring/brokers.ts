import { BullModule, getQueueToken } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { AttemptWatch } from '../application/attempt-watch.js';
import { DeliverySettings } from '../application/delivery-settings.js';
import { LaneDispatcher } from '../application/ports/lane-dispatcher.js';
import { BrokerConnectionModule } from '../broker-connection.module.js';
import { BrokerReadiness } from '../infrastructure/observability/broker-readiness.js';
import { BrokerConnection } from '../infrastructure/queue/broker-connection.js';
import { BrokerTurns } from '../infrastructure/queue/broker-turns.js';
import { BullmqLaneConsumer } from '../infrastructure/queue/bullmq-lane-consumer.js';
import { BullmqLaneDispatcher } from '../infrastructure/queue/bullmq-lane-dispatcher.js';
import { EngineDuties } from '../infrastructure/queue/delivery-engine.js';
import { InlineLaneDispatcher } from '../infrastructure/queue/inline-lane-dispatcher.js';
import { LANE_QUEUE } from '../infrastructure/queue/lane-queue.js';
import { LocalTurns } from '../infrastructure/queue/local-turns.js';
import { PostgresBroker } from '../infrastructure/queue/postgres-broker.js';
import { PostgresLaneConsumer } from '../infrastructure/queue/postgres-lane-consumer.js';
import { RedisConnection } from '../infrastructure/queue/redis-connection.js';
import type { WebhooksOptions } from '../webhooks-options.js';

type Parts = Pick<DynamicModule, 'imports' | 'providers'>;

/** What rings lanes, and who takes turns, as the module is set up. */
export function brokerOf(options: WebhooksOptions): Parts {
  const { broker } = options;
  if (broker.kind === 'inline') return inline(options);
  return broker.kind === 'redis' ? onRedis(options, broker.url) : onPostgres(options, broker.url);
}

/** Without a broker this process rings and drains by itself. */
function inline(options: WebhooksOptions): Parts {
  const delivers = options.role !== 'api';
  return {
    providers: [
      {
        provide: InlineLaneDispatcher,
        inject: [AttemptWatch, DeliverySettings, AppLogger],
        useFactory: (watch: AttemptWatch, settings: DeliverySettings, logger: AppLogger) =>
          new InlineLaneDispatcher(watch, settings, logger),
      },
      { provide: LaneDispatcher, useExisting: InlineLaneDispatcher },
      {
        provide: EngineDuties,
        inject: [InlineLaneDispatcher],
        useFactory: (dispatcher: InlineLaneDispatcher) =>
          new EngineDuties(delivers ? dispatcher : null, () => undefined),
      },
    ],
  };
}

/** Rings go through BullMQ on Redis, and a process takes turns when its role says so. */
function onRedis(options: WebhooksOptions, redisUrl: string): Parts {
  const delivers = options.role !== 'api';
  const connection = BrokerConnectionModule.forRoot(redisUrl, options.queuePrefix);
  return {
    imports: [
      connection,
      BullModule.registerQueueAsync({
        name: LANE_QUEUE,
        imports: [connection],
        inject: [RedisConnection],
        useFactory: ({ client }: RedisConnection) => ({
          connection: client,
          prefix: options.queuePrefix,
          skipWaitingForReady: true,
        }),
      }),
    ],
    providers: [
      LocalTurns,
      BullmqLaneDispatcher,
      { provide: LaneDispatcher, useExisting: BullmqLaneDispatcher },
      ...(delivers ? [BrokerTurns, BullmqLaneConsumer] : []),
      BrokerReadiness,
      {
        provide: EngineDuties,
        inject: [BullmqLaneDispatcher, RedisConnection, { token: BullmqLaneConsumer, optional: true }],
        useFactory: (
          dispatcher: BullmqLaneDispatcher,
          redis: RedisConnection,
          consumer: BullmqLaneConsumer | undefined,
        ) =>
          new EngineDuties(consumer ?? null, () => {
            dispatcher.stop();
            redis.close();
          }),
      },
    ],
  };
}

/** The same in the service's own database, for those who have no Redis. */
function onPostgres(options: WebhooksOptions, databaseUrl: string): Parts {
  const delivers = options.role !== 'api';
  return {
    providers: [
      LocalTurns,
      { provide: PostgresBroker, useFactory: () => new PostgresBroker(databaseUrl) },
      { provide: BrokerConnection, useExisting: PostgresBroker },
      {
        provide: getQueueToken(LANE_QUEUE),
        inject: [PostgresBroker],
        useFactory: ({ queue }: PostgresBroker) => queue,
      },
      BullmqLaneDispatcher,
      { provide: LaneDispatcher, useExisting: BullmqLaneDispatcher },
      ...(delivers ? [BrokerTurns, PostgresLaneConsumer] : []),
      {
        provide: EngineDuties,
        inject: [BullmqLaneDispatcher, PostgresBroker, { token: PostgresLaneConsumer, optional: true }],
        useFactory: (
          dispatcher: BullmqLaneDispatcher,
          broker: PostgresBroker,
          consumer: PostgresLaneConsumer | undefined,
        ) =>
          new EngineDuties(consumer ?? null, async () => {
            dispatcher.stop();
            await broker.close();
          }),
      },
    ],
  };
}
