import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { AttemptStatistics } from '../../application/ports/attempt-statistics.js';

/** Milliseconds between two passes: questions add up what is new by themselves, so it need not be soon. */
const INTERVAL_MS = 10_000;

/** Steps of one pass; between them other work of the process has its turn. */
const STEPS = 20;

/** Folds statistics in the background of processes that deliver, and removes what has grown too old. */
@Injectable()
export class StatisticsSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work: RepeatedWork;

  constructor(
    private readonly statistics: AttemptStatistics,
    logger: AppLogger,
  ) {
    this.work = new RepeatedWork(() => this.once(), {
      logger,
      failed: 'Statistics could not be folded; it is tried again',
      retryMs: INTERVAL_MS,
    });
  }

  onApplicationBootstrap(): void {
    this.work.schedule(INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  private async once(): Promise<number> {
    for (let step = 0; step < STEPS && !this.work.isStopped; step += 1) {
      if (!(await this.statistics.fold())) break;
    }
    await this.statistics.forget();
    return INTERVAL_MS;
  }
}
