import { BullModule } from '@nestjs/bullmq';
import type { DynamicModule } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { AttemptWatch } from '../application/attempt-watch.js';
import { DeliverySettings } from '../application/delivery-settings.js';
import { LaneDispatcher } from '../application/ports/lane-dispatcher.js';
import { BrokerConnectionModule } from '../broker-connection.module.js';
import { BrokerReadiness } from '../infrastructure/observability/broker-readiness.js';
import { BullmqLaneConsumer } from '../infrastructure/queue/bullmq-lane-consumer.js';
import { BullmqLaneDispatcher } from '../infrastructure/queue/bullmq-lane-dispatcher.js';
import { EngineDuties } from '../infrastructure/queue/delivery-engine.js';
import { InlineLaneDispatcher } from '../infrastructure/queue/inline-lane-dispatcher.js';
import { LANE_QUEUE } from '../infrastructure/queue/lane-queue.js';
import { LocalTurns } from '../infrastructure/queue/local-turns.js';
import { RedisConnection } from '../infrastructure/queue/redis-connection.js';
import type { WebhooksOptions } from '../webhooks-options.js';

/** Without a broker this process rings and drains by itself. */
export function inline(options: WebhooksOptions): Pick<DynamicModule, 'imports' | 'providers'> {
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

/** With a broker: rings go through BullMQ, and a process takes turns when its role says so. */
export function brokered(
  options: WebhooksOptions,
  redisUrl: string,
): Pick<DynamicModule, 'imports' | 'providers'> {
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
      ...(delivers ? [BullmqLaneConsumer] : []),
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
