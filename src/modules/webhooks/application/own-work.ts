/** Turns and attempts of this process: what has to end before it may. */
export class OwnWork {
  /** None of them rejects. */
  private readonly underWay = new Set<Promise<void>>();
  private stopping = false;

  get isStopping(): boolean {
    return this.stopping;
  }

  /** @param work must not reject */
  track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => {
      this.underWay.delete(tracked);
    });
    this.underWay.add(tracked);
  }

  /** Nothing new begins from now on; resolves when everything has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }
}
