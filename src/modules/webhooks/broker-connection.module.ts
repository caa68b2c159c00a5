import { Module, type DynamicModule } from '@nestjs/common';

import { AppLogger } from '../../platform/kernel/app-logger.js';
import { BrokerConnection } from './infrastructure/queue/broker-connection.js';
import { RedisConnection } from './infrastructure/queue/redis-connection.js';

/** One connection to Redis, shared by the queue, its worker and the readiness check. */
@Module({})
export class BrokerConnectionModule {
  static forRoot(redisUrl: string, queuePrefix: string): DynamicModule {
    return {
      module: BrokerConnectionModule,
      providers: [
        {
          provide: RedisConnection,
          inject: [AppLogger],
          useFactory: (logger: AppLogger) => new RedisConnection(redisUrl, queuePrefix, logger),
        },
        { provide: BrokerConnection, useExisting: RedisConnection },
      ],
      exports: [RedisConnection, BrokerConnection],
    };
  }
}
