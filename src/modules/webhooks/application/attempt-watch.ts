/**
 * Lets a request wait for the first attempts of the deliveries that it stored, when they are made in the same process.
 */
export class AttemptWatch {
  private readonly waiting = new Map<string, () => void>();

  /** To be called after every recorded attempt. */
  attempted(deliveryId: string): void {
    this.waiting.get(deliveryId)?.();
  }

  /**
   * Starts watching at once; the promise resolves when each delivery was attempted, or after `timeoutMs`: the attempts
   * go on then and the caller simply answers before them.
   */
  async firstAttempts(deliveryIds: readonly string[], timeoutMs: number): Promise<void> {
    if (deliveryIds.length === 0) return;
    await new Promise<void>((resolve) => {
      const missing = new Set(deliveryIds);
      const finish = (): void => {
        clearTimeout(timer);
        for (const id of deliveryIds) this.waiting.delete(id);
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
