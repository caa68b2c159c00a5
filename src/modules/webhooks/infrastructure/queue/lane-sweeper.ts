import type { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import type { SweepLanes } from '../../application/sweep-lanes.js';

/** Sweeps once a second, one sweep at a time. */
export class LaneSweeper {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;
  private failing = false;

  constructor(
    private readonly sweep: SweepLanes,
    private readonly logger: AppLogger,
  ) {}

  start(): void {
    this.stopped = false;
    this.schedule(0);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.once().finally(() => {
        this.schedule(ENGINE_LIMITS.sweepIntervalMs);
      });
    }, delayMs);
  }

  /** Never rejects: while the database is away it says so once and tries again. */
  private async once(): Promise<void> {
    try {
      await this.sweep.execute();
      if (this.failing) this.logger.info('The sweep works again');
      this.failing = false;
    } catch (cause) {
      if (!this.failing) this.logger.error('The sweep failed; it is tried again every second', { cause });
      this.failing = true;
    }
  }
}
