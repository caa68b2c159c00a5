import type { AppLogger } from './app-logger.js';

/** What is said of work that fails, and when it is tried again. */
export interface OfFailures {
  readonly logger: AppLogger;
  /** Said at the first failure of a row, and not again before it worked once. */
  readonly failed: string;
  /** Said when it works again; nothing when absent. */
  readonly works?: string;
  /** Milliseconds until the next try. */
  readonly retryMs: number;
}

/**
 * Work of a process that is done again and again, one at a time, until it is stopped. What fails goes on: while the database is
 * away it says so once and tries again.
 *
 * @example new RepeatedWork(async () => { await sweep(); return 1_000; }, { logger, failed: 'The sweep failed', retryMs: 1_000 })
 */
export class RepeatedWork {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private failing = false;

  /** @param once resolves with the milliseconds until the next time */
  constructor(
    private readonly once: () => Promise<number>,
    private readonly ofFailures: OfFailures,
  ) {}

  get isStopped(): boolean {
    return this.stopped;
  }

  schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.begin(), delayMs);
  }

  /** Does it now, and again from then on. Resolves after this first time; never rejects. */
  async begin(): Promise<void> {
    this.running = this.round().then((nextMs) => {
      this.schedule(nextMs);
    });
    await this.running;
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }

  private async round(): Promise<number> {
    const { logger, failed, works, retryMs } = this.ofFailures;
    try {
      const nextMs = await this.once();
      if (this.failing && works !== undefined) logger.info(works);
      this.failing = false;
      return nextMs;
    } catch (cause) {
      if (!this.failing) logger.error(failed, { cause });
      this.failing = true;
      return retryMs;
    }
  }
}
