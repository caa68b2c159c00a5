import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { KeepJwtKeys } from '../../application/keep-jwt-keys.js';

/** Milliseconds between two looks: a successor is due to the day, and signs an hour after it was made. */
const INTERVAL_MS = 3_600_000;
/** Milliseconds until the next try when the database was away. */
const RETRY_MS = 5_000;

/** Keeps the keys of JWTs: before the process serves anything, and every hour. */
@Injectable()
export class JwtKeySchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work: RepeatedWork;

  constructor(keep: KeepJwtKeys, logger: AppLogger) {
    this.work = new RepeatedWork(
      async () => {
        await keep.execute();
        return INTERVAL_MS;
      },
      {
        logger,
        failed: 'The keys of JWTs could not be looked after; it is tried again',
        retryMs: RETRY_MS,
      },
    );
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.work.begin();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }
}
