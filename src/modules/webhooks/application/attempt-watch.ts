import type { Lane } from '../domain/lane.js';
import type { WaitingDelivery } from './ports/event-intake.js';

interface Waiting {
  /** The first attempt is over, or will not begin. */
  readonly done: () => void;
  /** The first attempt may take so much longer than usual. */
  readonly longer: (extraMs: number) => void;
}

/**
 * Lets a request wait for the first attempts of the deliveries that it stored, when they are made in the same process.
 */
export class AttemptWatch {
  private readonly waiting = new Map<string, Waiting>();
  /** Of those that wait for a turn: the ids by lane. */
  private readonly byLane = new Map<string, Set<string>>();
  private readonly begun = new Set<string>();
  private stopped = false;

  /**
   * To be called when an attempt begins: {@link stop} leaves those that wait for it to its end, and they wait for longer
   * when it may take `extraMs` more than usual.
   */
  attempting(deliveryId: string, extraMs = 0): void {
    const waiting = this.waiting.get(deliveryId);
    if (waiting === undefined) return;
    this.begun.add(deliveryId);
    waiting.longer(extraMs);
  }

  /** To be called after every recorded attempt. */
  attempted(deliveryId: string): void {
    this.begun.delete(deliveryId);
    this.waiting.get(deliveryId)?.done();
  }

  /** The lane is kept back: nobody waits for what has not begun. */
  held({ subscriptionId }: Lane): void {
    for (const id of [...(this.byLane.get(subscriptionId) ?? [])]) {
      if (!this.begun.has(id)) this.waiting.get(id)?.done();
    }
  }

  /** No attempt will begin any more: whoever waits for one that has not is let go. */
  stop(): void {
    this.stopped = true;
    for (const [id, { done }] of [...this.waiting]) if (!this.begun.has(id)) done();
  }

  /**
   * Starts watching at once; the promise resolves when each delivery was attempted, or after `timeoutMs`: the attempts
   * go on then and the caller simply answers before them. Those with a longer budget get as much more.
   *
   * @param inLine those of them that wait for a turn of their lane, which may be kept back
   */
  async firstAttempts(
    deliveryIds: readonly string[],
    timeoutMs: number,
    inLine: readonly WaitingDelivery[] = [],
  ): Promise<void> {
    if (deliveryIds.length === 0 || this.stopped) return;
    await new Promise<void>((resolve) => {
      const missing = new Set(deliveryIds);
      const finish = (): void => {
        clearTimeout(timer);
        for (const id of deliveryIds) {
          this.waiting.delete(id);
          this.begun.delete(id);
        }
        for (const { lane, id } of inLine) this.leave(lane, id);
        resolve();
      };
      let extraMs = 0;
      let timer = setTimeout(over, timeoutMs);
      function over(): void {
        if (extraMs === 0) finish();
        else timer = setTimeout(finish, extraMs);
      }
      for (const { lane, id } of inLine) this.join(lane, id);
      for (const id of deliveryIds) {
        this.waiting.set(id, {
          done: () => {
            missing.delete(id);
            if (missing.size === 0) finish();
          },
          longer: (ms) => {
            if (missing.has(id)) extraMs = Math.max(extraMs, ms);
          },
        });
      }
    });
  }

  private join({ subscriptionId }: Lane, deliveryId: string): void {
    const ids = this.byLane.get(subscriptionId);
    if (ids === undefined) this.byLane.set(subscriptionId, new Set([deliveryId]));
    else ids.add(deliveryId);
  }

  private leave({ subscriptionId }: Lane, deliveryId: string): void {
    const ids = this.byLane.get(subscriptionId);
    ids?.delete(deliveryId);
    if (ids?.size === 0) this.byLane.delete(subscriptionId);
  }
}
