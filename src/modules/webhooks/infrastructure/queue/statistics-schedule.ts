import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { AttemptStatistics } from '../../application/ports/attempt-statistics.js';
import { RepeatedWork } from '../repeated-work.js';

/** Milliseconds between two passes: questions add up what is new by themselves, so it need not be soon. */
const INTERVAL_MS = 10_000;

/** Steps of one pass; between them other work of the process has its turn. */
const STEPS = 20;

/** Folds statistics in the background of processes that deliver, and removes what has grown too old. */
@Injectable()
export class StatisticsSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work = new RepeatedWork(() => this.once());
  private failing = false;

  constructor(
    private readonly statistics: AttemptStatistics,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.work.schedule(INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  /** Never rejects: while the database is away it says so once and goes on later. */
  private async once(): Promise<number> {
    try {
      for (let step = 0; step < STEPS && !this.work.isStopped; step += 1) {
        if (!(await this.statistics.fold())) break;
      }
      await this.statistics.forget();
      this.failing = false;
    } catch (cause) {
      if (!this.failing) this.logger.error('Statistics could not be folded; it is tried again', { cause });
      this.failing = true;
    }
    return INTERVAL_MS;
  }
}
