import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { ResealSecrets } from '../../application/reseal-secrets.js';
import { RepeatedWork } from '../repeated-work.js';

/** Milliseconds between two walks: a process that still has the old key first may seal with it until it is restarted. */
const INTERVAL_MS = 300_000;
/** Milliseconds until the next try when another process is at it, or the database was away. */
const RETRY_MS = 5_000;

/** Re-encrypts in the background of a process that delivers: at boot, and now and then. */
@Injectable()
export class ResealSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work = new RepeatedWork(() => this.once());

  constructor(
    private readonly reseal: ResealSecrets,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.work.schedule(0);
  }

  /** Waits for the batch under way; the rest is done at the next boot. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  /** Never rejects. @returns milliseconds until the next time */
  private async once(): Promise<number> {
    try {
      const { ended } = await this.reseal.execute(() => this.work.isStopped);
      return ended === 'busy' ? RETRY_MS : INTERVAL_MS;
    } catch (cause) {
      this.logger.error('The re-encryption of signing secrets failed; it is tried again', { cause });
      return RETRY_MS;
    }
  }
}
