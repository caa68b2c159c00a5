import { Redis } from 'ioredis';

import type { AppLogger } from '../kernel/app-logger.js';
import { intervalMs, judge, TAKE_SCRIPT, type Verdict } from './request-allowance.js';

/** Milliseconds that a request waits for its count; a Redis that hangs delays it by no more. */
const COMMAND_TIMEOUT_MS = 250;

/** Milliseconds for which a Redis that has not answered is not asked again, so that few requests wait for it. */
const REST_MS = 1_000;

/** Milliseconds between tries to reach a Redis that is away. */
const RECONNECT_MS = 500;

export interface SharedAllowancesOptions {
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly perMinute: number;
}

/** The allowances of senders as all processes count them together, in Redis. */
export class SharedAllowances {
  /** Its commands fail at once while Redis is away, instead of waiting for it. */
  private readonly redis: Redis;
  private away = false;
  private restsUntilMs = 0;

  constructor(
    private readonly options: SharedAllowancesOptions,
    private readonly logger: AppLogger,
  ) {
    this.redis = new Redis(options.redisUrl, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: () => RECONNECT_MS,
    });
    this.redis.on('error', (cause: Error) => {
      this.report(cause);
    });
  }

  /** @returns null when Redis does not answer: then each process has to count for itself */
  async take(sender: string, nowMs: number): Promise<Verdict | null> {
    if (nowMs < this.restsUntilMs || this.redis.status !== 'ready') return null;
    const { keyPrefix, perMinute } = this.options;
    try {
      // The text of the script goes along, some 400 bytes: its hash alone would need a second trip after each restart.
      const debt = await this.redis.eval(
        TAKE_SCRIPT,
        1,
        `${keyPrefix}:allowance:${sender}`,
        intervalMs(perMinute),
      );
      if (this.away)
        this.logger.info('Redis answers again: it counts the requests of all processes together');
      this.away = false;
      return judge(Number(debt), perMinute);
    } catch (cause) {
      this.restsUntilMs = nowMs + REST_MS;
      this.report(cause);
      return null;
    }
  }

  disconnect(): void {
    this.redis.disconnect();
  }

  private report(cause: unknown): void {
    if (this.away) return;
    this.away = true;
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    this.logger.warn(
      `Redis does not answer (${reason}): each process counts requests to the API for itself until it does`,
    );
  }
}
