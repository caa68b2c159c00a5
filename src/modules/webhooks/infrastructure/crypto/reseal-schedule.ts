import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { ResealSecrets } from '../../application/reseal-secrets.js';

/** Milliseconds between two walks: a process that still has the old key first may seal with it until it is restarted. */
const INTERVAL_MS = 300_000;
/** Milliseconds until the next try when another process is at it, or the database was away. */
const RETRY_MS = 5_000;

/** Re-encrypts in the background of a process that delivers: at boot, and now and then. */
@Injectable()
export class ResealSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly reseal: ResealSecrets,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(0);
  }

  /** Waits for the batch under way; the rest is done at the next boot. */
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
      const { ended } = await this.reseal.execute(() => this.stopped);
      return ended === 'busy' ? RETRY_MS : INTERVAL_MS;
    } catch (cause) {
      this.logger.error('The re-encryption of signing secrets failed; it is tried again', { cause });
      return RETRY_MS;
    }
  }
}
