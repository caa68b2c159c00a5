import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { TellNotices } from '../../application/tell-notices.js';

/** Milliseconds between two looks: one lookup in an index that is empty, nearly always. */
const INTERVAL_MS = 1_000;

/** Tells what was noted, once a second, in processes that deliver. */
@Injectable()
export class NoticeSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work: RepeatedWork;

  constructor(notices: TellNotices, logger: AppLogger) {
    this.work = new RepeatedWork(
      async () => {
        await notices.execute();
        return INTERVAL_MS;
      },
      {
        logger,
        failed: 'Operational events wait: what was noted could not be told',
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
