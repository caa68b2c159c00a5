import type { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import type { SweepLanes } from '../../application/sweep-lanes.js';

/** Sweeps once a second, one sweep at a time. */
export class LaneSweeper {
  private readonly work: RepeatedWork;

  constructor(sweep: SweepLanes, logger: AppLogger) {
    this.work = new RepeatedWork(
      async () => {
        await sweep.execute();
        return ENGINE_LIMITS.sweepIntervalMs;
      },
      {
        logger,
        failed: 'The sweep failed; it is tried again every second',
        works: 'The sweep works again',
        retryMs: ENGINE_LIMITS.sweepIntervalMs,
      },
    );
  }

  start(): void {
    this.work.schedule(0);
  }

  async stop(): Promise<void> {
    await this.work.stop();
  }
}
