import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { RunTasks } from '../../application/run-tasks.js';

/** Milliseconds between two looks for tasks: a person is waiting, but not for less than this. */
const INTERVAL_MS = 1_000;
/** The same while a task waits for what it made due: a hundred are sent in about so long. */
const WAITING_MS = 100;

/** Looks for background tasks once a second, in processes that deliver. */
@Injectable()
export class TaskRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly work: RepeatedWork;

  constructor(
    private readonly tasks: RunTasks,
    logger: AppLogger,
  ) {
    this.work = new RepeatedWork(async () => ((await tasks.execute()) ? WAITING_MS : INTERVAL_MS), {
      logger,
      failed: 'Background tasks wait: the database does not answer',
      retryMs: INTERVAL_MS,
    });
  }

  onApplicationBootstrap(): void {
    this.work.schedule(INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.tasks.stop();
    await this.work.stop();
  }
}
