import { Injectable, type OnModuleInit } from '@nestjs/common';

import {
  ReadinessCheck,
  ReadinessRegistry,
  type ReadinessResult,
} from '../../../../platform/observability/readiness.js';
import { RedisConnection } from '../queue/redis-connection.js';

/** Milliseconds that the broker may take to answer. */
const PROBE_TIMEOUT_MS = 1_000;

/**
 * A broker that is away, or that takes no writes, degrades the service: it is still ready for requests, and deliveries go
 * on from the sweep of each process, without sharing the work.
 */
@Injectable()
export class BrokerReadiness extends ReadinessCheck implements OnModuleInit {
  override readonly name = 'broker';

  constructor(
    private readonly redis: RedisConnection,
    private readonly registry: ReadinessRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  override async check(): Promise<ReadinessResult> {
    try {
      await this.redis.probe(PROBE_TIMEOUT_MS);
      return { status: 'up', kind: 'redis' };
    } catch (cause) {
      return {
        status: 'degraded',
        kind: 'redis',
        reason: cause instanceof Error ? cause.message : String(cause),
      };
    }
  }
}
