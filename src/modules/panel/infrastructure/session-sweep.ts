import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../platform/kernel/repeated-work.js';
import { RemoveEndedSessions } from '../application/remove-ended-sessions.js';

/** Milliseconds between two looks. A session ends by its time, not by this: it is about the size of a table. */
const INTERVAL_MS = 60_000;

/** Removes what has ended, in processes that serve the panel. */
@Injectable()
export class SessionSweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work: RepeatedWork;

  constructor(remove: RemoveEndedSessions, logger: AppLogger) {
    this.work = new RepeatedWork(
      async () => {
        await remove.execute(() => this.work.isStopped);
        return INTERVAL_MS;
      },
      {
        logger,
        failed: 'Ended sessions of the panel could not be removed; it is tried again',
        retryMs: INTERVAL_MS,
      },
    );
  }

  onApplicationBootstrap(): void {
    this.work.schedule(INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }
}
