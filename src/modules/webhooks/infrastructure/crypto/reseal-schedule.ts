import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { ResealSecrets } from '../../application/reseal-secrets.js';

/** Milliseconds between two walks: a process that still has the old key first may seal with it until it is restarted. */
const INTERVAL_MS = 300_000;
/** Milliseconds until the next try when another process is at it, or the database was away. */
const RETRY_MS = 5_000;

/** Re-encrypts in the background of a process that delivers: at boot, and now and then. */
@Injectable()
export class ResealSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work: RepeatedWork;

  constructor(reseal: ResealSecrets, logger: AppLogger) {
    this.work = new RepeatedWork(
      async () => {
        const { ended } = await reseal.execute(() => this.work.isStopped);
        return ended === 'busy' ? RETRY_MS : INTERVAL_MS;
      },
      {
        logger,
        failed: 'The re-encryption of signing secrets failed; it is tried again',
        retryMs: RETRY_MS,
      },
    );
  }

  onApplicationBootstrap(): void {
    this.work.schedule(0);
  }

  /** Waits for the batch under way; the rest is done at the next boot. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }
}
