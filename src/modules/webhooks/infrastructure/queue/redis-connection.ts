import { Redis } from 'ioredis';

import type { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { within } from '../../../../platform/kernel/within.js';
import { BrokerConnection } from './broker-connection.js';

/** Milliseconds that the key of a probe lives. */
const PROBE_EXPIRY_MS = 1_000;

/** Milliseconds between tries to reach a Redis that is away; it heals without a restart. */
const RECONNECT_MS = 500;

/** The connection to the broker, which may be away at any time, at boot as well. */
export class RedisConnection extends BrokerConnection {
  override readonly name = 'Redis';
  readonly client: Redis;
  private away = false;

  constructor(
    url: string,
    private readonly prefix: string,
    private readonly logger: AppLogger,
  ) {
    super();
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
  override get ready(): boolean {
    return this.client.status === 'ready';
  }

  /**
   * Writes a key that expires at once, with a command that Redis refuses when it refuses rings: out of memory, on a replica.
   *
   * @throws when Redis does not take it within `timeoutMs` milliseconds.
   */
  async probe(timeoutMs: number): Promise<void> {
    if (!this.ready) throw new Error('Redis is not connected');
    await within(timeoutMs, this.client.set(`${this.prefix}:probe`, '1', 'PX', PROBE_EXPIRY_MS));
  }

  close(): void {
    this.client.disconnect();
  }

  private report(cause: Error): void {
    if (this.away) return;
    this.away = true;
    this.logger.error(
      `Redis does not answer (${cause.message || cause.name}): deliveries are stored, and processes that deliver find them without it`,
    );
  }
}
