import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { KeepJwtKeys } from '../../application/keep-jwt-keys.js';

/** Milliseconds between two looks: a successor is due to the day, and signs an hour after it was made. */
const INTERVAL_MS = 3_600_000;
/** Milliseconds until the next try when the database was away. */
const RETRY_MS = 5_000;

/** Keeps the keys of JWTs: before the process serves anything, and every hour. */
@Injectable()
export class JwtKeySchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly keep: KeepJwtKeys,
    private readonly logger: AppLogger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.schedule(await this.once());
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.once().then((nextMs) => {
        this.schedule(nextMs);
      });
    }, delayMs);
  }

  /** Never rejects. @returns milliseconds until the next time */
  private async once(): Promise<number> {
    try {
      await this.keep.execute();
      return INTERVAL_MS;
    } catch (cause) {
      this.logger.error('The keys of JWTs could not be looked after; it is tried again', { cause });
      return RETRY_MS;
    }
  }
}
