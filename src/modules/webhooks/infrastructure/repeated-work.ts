/** Work of a process that is done again and again, one at a time, until it is stopped. */
export class RepeatedWork {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  /** @param once never rejects; resolves with the milliseconds until the next time */
  constructor(private readonly once: () => Promise<number>) {}

  get isStopped(): boolean {
    return this.stopped;
  }

  schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.once().then((nextMs) => {
        this.schedule(nextMs);
      });
    }, delayMs);
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }
}
