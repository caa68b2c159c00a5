import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { TypeOrmModule } from '@nestjs/typeorm';

import { InvoicingModule } from './modules/invoicing/index.js';
import { PanelModule } from './modules/panel/index.js';
import { WebhooksModule, type Broker } from './modules/webhooks/index.js';
import { AuthModule } from './platform/auth/auth.module.js';
import type { Configuration } from './platform/config/configuration.js';
import { dataSourceOptions } from './platform/database/data-source-options.js';
import type { AppLogger } from './platform/kernel/app-logger.js';
import { ObservabilityModule } from './platform/observability/observability.module.js';

/** The composition root: which modules there are, and what they are set up with. */
@Module({})
export class AppModule {
  /** @param databaseUrl the database to use: the configured one, or the embedded one that was started. */
  static forRoot(configuration: Configuration, databaseUrl: string, logger: AppLogger): DynamicModule {
    const { auth, database, delivery, server } = configuration;
    const publicUrl = server.publicUrl === null ? null : new URL(server.publicUrl);
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [() => ({ ...configuration })] }),
        TypeOrmModule.forRoot({
          ...dataSourceOptions(databaseUrl, database.poolSize),
          autoLoadEntities: true,
          retryAttempts: 0,
        }),
        ObservabilityModule.forRoot(logger),
        AuthModule.forRoot(auth, publicUrl?.origin ?? null),
        WebhooksModule.forRoot({
          ...delivery,
          broker: brokerOf(delivery, databaseUrl),
          role: server.role,
          issuer: publicUrl?.origin ?? 'gestiqcloud-webhooks',
          ownHosts: publicUrl === null ? [] : [publicUrl.host],
        }),
        ...(server.role === 'worker' ? [] : [PanelModule.forRoot(), InvoicingModule]),
      ],
    };
  }
}

function brokerOf({ broker, redisUrl }: Configuration['delivery'], databaseUrl: string): Broker {
  if (broker === 'postgres') return { kind: 'postgres', url: databaseUrl };
  return broker === 'inline' || redisUrl === null ? { kind: 'inline' } : { kind: 'redis', url: redisUrl };
}
