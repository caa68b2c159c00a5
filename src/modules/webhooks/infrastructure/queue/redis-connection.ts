import { Redis } from 'ioredis';

import type { AppLogger } from '../../../../platform/kernel/app-logger.js';

/** Milliseconds between tries to reach a Redis that is away; it heals without a restart. */
const RECONNECT_MS = 500;

/** The connection to the broker, which may be away at any time, at boot as well. */
export class RedisConnection {
  readonly client: Redis;
  private away = false;

  constructor(
    url: string,
    private readonly logger: AppLogger,
  ) {
    // BullMQ's workers demand null: they wait for Redis as long as it takes. Producers look at `ready` first.
    this.client = new Redis(url, { retryStrategy: () => RECONNECT_MS, maxRetriesPerRequest: null });
    this.client.on('error', (cause: Error) => {
      this.report(cause);
    });
    this.client.on('ready', () => {
      if (this.away) this.logger.info('Redis answers again');
      this.away = false;
    });
  }

  /** Whether a command would be sent now; false while Redis is away. */
  get ready(): boolean {
    return this.client.status === 'ready';
  }

  /** @throws when Redis does not answer within `timeoutMs` milliseconds. */
  async ping(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`Redis did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
    });
    try {
      if (!this.ready) throw new Error('Redis is not connected');
      await Promise.race([this.client.ping(), expired]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.client.disconnect();
  }

  private report(cause: Error): void {
    if (this.away) return;
    this.away = true;
    this.logger.error(
      `Redis does not answer (${cause.message || cause.name}): deliveries are stored and wait; they flow when it returns`,
    );
  }
}
