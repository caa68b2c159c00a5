import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
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
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private failing = false;
  private endRest: () => void = () => undefined;

  constructor(
    private readonly holds: EndHolds,
    private readonly expired: RemoveExpired,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(FIRST_MS);
  }

  /** Waits for the batch under way alone; the rest is done at the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.endRest();
    await this.running;
  }

  isStopped(): boolean {
    return this.stopped;
  }

  async rest(tookMs: number): Promise<void> {
    if (this.stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(tookMs * REST_FACTOR, MIN_REST_MS));
      this.endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.once().finally(() => {
        this.schedule(INTERVAL_MS);
      });
    }, delayMs);
  }

  /** Never rejects: while the database is away it says so once and looks again. */
  private async once(): Promise<void> {
    try {
      await this.holds.execute(this);
      await this.expired.execute(this);
      this.failing = false;
    } catch (cause) {
      if (!this.failing) this.logger.error('Old history could not be removed; it is tried again', { cause });
      this.failing = true;
    }
  }
}
