import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { AppLogger } from '../kernel/app-logger.js';
import { DatabaseReadiness } from './database-readiness.js';
import { HealthController } from './health.controller.js';
import { MetricsRegistry } from './metrics-registry.js';
import { MetricsController } from './metrics.controller.js';
import { ReadinessRegistry } from './readiness.js';

/** Logging, health and metrics for every module. */
@Global()
@Module({})
export class ObservabilityModule {
  static forRoot(logger: AppLogger): DynamicModule {
    return {
      module: ObservabilityModule,
      imports: [TerminusModule.forRoot({ errorLogStyle: 'json', logger: false })],
      controllers: [HealthController, MetricsController],
      providers: [
        { provide: AppLogger, useValue: logger },
        MetricsRegistry,
        ReadinessRegistry,
        DatabaseReadiness,
      ],
      exports: [AppLogger, MetricsRegistry, ReadinessRegistry],
    };
  }
}
