import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { MetricsRegistry } from '../../../../platform/observability/metrics-registry.js';
import { HeldDeliveries } from '../../application/ports/held-deliveries.js';

/** Shows what is held, as a gauge that is read when Prometheus asks. */
@Injectable()
export class HeldMonitor implements OnModuleInit {
  constructor(
    private readonly held: HeldDeliveries,
    private readonly metrics: MetricsRegistry,
    private readonly logger: AppLogger,
  ) {}

  onModuleInit(): void {
    const read = async (gauge: Gauge): Promise<void> => {
      try {
        const counts = await this.held.count();
        for (const [reason, count] of Object.entries(counts)) gauge.set({ reason }, count);
      } catch (cause) {
        // Without a database the last values stay and every other metric is still served.
        this.logger.warn('What is held could not be read for /metrics', { cause });
      }
    };
    new Gauge({
      name: 'webhook_held',
      help: 'Deliveries that are kept back, by reason',
      labelNames: ['reason'],
      registers: [this.metrics.registry],
      collect: async function collect(this: Gauge): Promise<void> {
        await read(this);
      },
    });
  }
}
