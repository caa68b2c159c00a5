import { Redis } from 'ioredis';

import type { AppLogger } from '../kernel/app-logger.js';

/** Milliseconds that a request waits for its count; a Redis that hangs delays it by no more. */
const COMMAND_TIMEOUT_MS = 250;

/** Milliseconds between tries to reach a Redis that is away. */
const RECONNECT_MS = 500;

/** The connection that counts requests. Its commands fail at once while Redis is away, instead of waiting for it. */
export class SharedRequestCounters extends Redis {
  private away = false;

  constructor(
    url: string,
    private readonly logger: AppLogger,
  ) {
    super(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: () => RECONNECT_MS,
    });
    this.on('error', (cause: Error) => {
      this.report(cause);
    });
  }

  /** Every command passes here, also those that a Redis which hangs never answers: they raise no event. */
  override sendCommand(...parameters: Parameters<Redis['sendCommand']>): unknown {
    const answer = super.sendCommand(...parameters);
    void Promise.resolve(answer).then(
      () => {
        if (this.away) this.logger.info('Redis answers again: the rate limit of the API counts');
        this.away = false;
      },
      (cause: unknown) => {
        // Before the first connection there is nothing to tell: an error event says whether it fails.
        if (this.status === 'ready') this.report(cause);
      },
    );
    return answer;
  }

  private report(cause: unknown): void {
    if (this.away) return;
    this.away = true;
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    this.logger.warn(`Redis does not answer (${reason}): requests to the API are not limited until it does`);
  }
}
