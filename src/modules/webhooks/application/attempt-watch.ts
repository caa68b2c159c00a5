/**
 * Lets a request wait for the first attempts of the deliveries that it stored, when they are made in the same process.
 */
export class AttemptWatch {
  private readonly waiting = new Map<string, () => void>();
  private readonly begun = new Set<string>();
  private stopped = false;

  /** To be called when an attempt begins: {@link stop} leaves those that wait for it to its end. */
  attempting(deliveryId: string): void {
    if (this.waiting.has(deliveryId)) this.begun.add(deliveryId);
  }

  /** To be called after every recorded attempt. */
  attempted(deliveryId: string): void {
    this.begun.delete(deliveryId);
    this.waiting.get(deliveryId)?.();
  }

  /** No attempt will begin any more: whoever waits for one that has not is let go. */
  stop(): void {
    this.stopped = true;
    for (const [id, done] of [...this.waiting]) if (!this.begun.has(id)) done();
  }

  /**
   * Starts watching at once; the promise resolves when each delivery was attempted, or after `timeoutMs`: the attempts
   * go on then and the caller simply answers before them.
   */
  async firstAttempts(deliveryIds: readonly string[], timeoutMs: number): Promise<void> {
    if (deliveryIds.length === 0 || this.stopped) return;
    await new Promise<void>((resolve) => {
      const missing = new Set(deliveryIds);
      const finish = (): void => {
        clearTimeout(timer);
        for (const id of deliveryIds) {
          this.waiting.delete(id);
          this.begun.delete(id);
        }
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      for (const id of deliveryIds) {
        this.waiting.set(id, () => {
          missing.delete(id);
          if (missing.size === 0) finish();
        });
      }
    });
  }
}
