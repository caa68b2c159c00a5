import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { Clock } from '../../../../platform/kernel/clock.js';
import { MetricsRegistry } from '../../../../platform/observability/metrics-registry.js';
import {
  ReadinessCheck,
  ReadinessRegistry,
  type ReadinessResult,
} from '../../../../platform/observability/readiness.js';
import { DeliveryLanes } from '../../application/ports/delivery-lanes.js';

/** Milliseconds overdue after which deliveries count as stuck: far beyond a sweep, so the workers are gone or too few. */
const DEGRADED_AFTER_MS = 60_000;

/** Milliseconds for which one look answers all who ask: probes and scrapes of many must not cost a look each. */
const FRESH_MS = 2_000;

type Backlog = Awaited<ReturnType<DeliveryLanes['backlog']>>;

/** Shows what waits: on readiness, and as gauges that are read when Prometheus asks. */
@Injectable()
export class BacklogMonitor extends ReadinessCheck implements OnModuleInit {
  override readonly name = 'deliveries';
  private latest: { readonly atMs: number; readonly backlog: Promise<Backlog> } | null = null;

  constructor(
    private readonly lanes: DeliveryLanes,
    private readonly readiness: ReadinessRegistry,
    private readonly metrics: MetricsRegistry,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {
    super();
  }

  onModuleInit(): void {
    this.readiness.register(this);
    const registers = [this.metrics.registry];
    const age = new Gauge({
      name: 'webhook_oldest_due_age_seconds',
      help: 'How long the oldest due delivery has been waiting',
      registers,
    });
    new Gauge({
      name: 'webhook_queue_depth',
      help: 'Deliveries that are waiting, due or not',
      registers,
      collect: async function collect(this: Gauge): Promise<void> {
        await read(this, age);
      },
    });
    const read = async (depth: Gauge, oldest: Gauge): Promise<void> => {
      try {
        const backlog = await this.backlog();
        depth.set(backlog.pending);
        oldest.set(backlog.oldestDueAgeMs / 1_000);
      } catch (cause) {
        // Without a database the last values stay and every other metric is still served.
        this.logger.warn('The backlog could not be read for /metrics', { cause });
      }
    };
  }

  override async check(): Promise<ReadinessResult> {
    const { pending, oldestDueAgeMs } = await this.backlog();
    return {
      status: oldestDueAgeMs > DEGRADED_AFTER_MS ? 'degraded' : 'up',
      pending,
      oldest_due_age_ms: Math.round(oldestDueAgeMs),
    };
  }
  private async backlog(): Promise<Backlog> {
    const nowMs = this.clock.monotonicMs();
    if (this.latest === null || nowMs - this.latest.atMs > FRESH_MS) {
      this.latest = { atMs: nowMs, backlog: this.lanes.backlog() };
    }
    const { latest } = this;
    try {
      return await latest.backlog;
    } catch (cause) {
      // What failed answers nobody else.
      if (this.latest === latest) this.latest = null;
      throw cause;
    }
  }
}
