import type { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { ENGINE_LIMITS } from '../../application/engine-limits.js';
import type { DeliveryLanes } from '../../application/ports/delivery-lanes.js';

/** Says once a second that this process lives, beside whatever else it does: a slow sweep must not cost it its leases. */
export class Heartbeat {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private isRunning = false;
  private failing = false;

  constructor(
    private readonly lanes: DeliveryLanes,
    private readonly logger: AppLogger,
  ) {}

  /** Resolves after the first sign of life: before it, nothing must be claimed. Never rejects. */
  async start(): Promise<void> {
    this.timer = setInterval(() => {
      if (!this.isRunning) this.running = this.once();
    }, ENGINE_LIMITS.beatIntervalMs);
    this.running = this.once();
    await this.running;
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
  }

  /** While the database is away it says so once, and tries again. */
  private async once(): Promise<void> {
    this.isRunning = true;
    try {
      await this.lanes.beat();
      this.failing = false;
    } catch (cause) {
      if (!this.failing) this.logger.error('The database does not hear that this process lives', { cause });
      this.failing = true;
    } finally {
      this.isRunning = false;
    }
  }
}
