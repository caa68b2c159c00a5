import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RunTasks } from '../../application/run-tasks.js';

/** Milliseconds between two looks for tasks: a person is waiting, but not for less than this. */
const INTERVAL_MS = 1_000;
/** The same while a task waits for what it made due: a hundred are sent in about so long. */
const WAITING_MS = 100;

/** Looks for background tasks once a second, in processes that deliver. */
@Injectable()
export class TaskRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private failing = false;

  constructor(
    private readonly tasks: RunTasks,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.tasks.stop();
    await this.running;
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.once().then((isWaiting) => {
        this.schedule(isWaiting ? WAITING_MS : INTERVAL_MS);
      });
    }, delayMs);
  }

  /** Never rejects: while the database is away it says so once and looks again. */
  private async once(): Promise<boolean> {
    try {
      const isWaiting = await this.tasks.execute();
      this.failing = false;
      return isWaiting;
    } catch (cause) {
      if (!this.failing) this.logger.error('Background tasks wait: the database does not answer', { cause });
      this.failing = true;
      return false;
    }
  }
}
