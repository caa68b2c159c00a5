import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { EndHolds } from '../../application/end-holds.js';
import { RemoveExpired, type Pace } from '../../application/remove-expired.js';

/** Milliseconds between two looks for what has grown too old. When there is nothing, a look is two index probes. */
const INTERVAL_MS = 60_000;
/** A start has more urgent work than this. */
const FIRST_MS = 2_000;
/** The rest after a batch, as a multiple of the time it took: whatever the database can do, a fifth of it at most. */
const REST_FACTOR = 4;
/** The least rest in milliseconds, so that small batches do not come without a gap. */
const MIN_REST_MS = 20;

/** Removes old history, and ends what was held for too long, in the background of a process that delivers. */
@Injectable()
export class RetentionSchedule implements OnApplicationBootstrap, BeforeApplicationShutdown, Pace {
  private readonly work: RepeatedWork;
  private endRest: () => void = () => undefined;

  constructor(
    private readonly holds: EndHolds,
    private readonly expired: RemoveExpired,
    logger: AppLogger,
  ) {
    this.work = new RepeatedWork(() => this.once(), {
      logger,
      failed: 'Old history could not be removed; it is tried again',
      retryMs: INTERVAL_MS,
    });
  }

  onApplicationBootstrap(): void {
    this.work.schedule(FIRST_MS);
  }

  /** Waits for the batch under way alone; the rest is done at the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    const stopped = this.work.stop();
    this.endRest();
    await stopped;
  }

  isStopped(): boolean {
    return this.work.isStopped;
  }

  async rest(tookMs: number): Promise<void> {
    if (this.work.isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(tookMs * REST_FACTOR, MIN_REST_MS));
      this.endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async once(): Promise<number> {
    await this.holds.execute(this);
    await this.expired.execute(this);
    return INTERVAL_MS;
  }
}
