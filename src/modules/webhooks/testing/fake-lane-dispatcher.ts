import type { WaitingDelivery } from '../application/ports/event-intake.js';
import { LaneDispatcher } from '../application/ports/lane-dispatcher.js';
import type { Lane } from '../domain/lane.js';

/** Keeps every ring; once started it gives the lanes their turns as well, one at a time in order of ringing. */
export class FakeLaneDispatcher extends LaneDispatcher {
  readonly rung: Lane[] = [];
  readonly rungLater: { readonly lane: Lane; readonly delayMs: number }[] = [];
  readonly requests: { readonly lanes: readonly Lane[]; readonly deliveryIds: readonly string[] }[] = [];
  private drain: ((lane: Lane) => Promise<unknown>) | null = null;
  private readonly waiting = new Map<string, Lane>();
  private turns: Promise<void> = Promise.resolve();

  override ring(lanes: readonly Lane[]): void {
    this.rung.push(...lanes);
    if (this.drain !== null) for (const lane of lanes) this.queue(lane);
  }

  override ringAfter(lane: Lane, delayMs: number): void {
    this.rungLater.push({ lane, delayMs });
  }

  override async afterRequest(
    waiting: readonly WaitingDelivery[],
    deliveryIds: readonly string[],
  ): Promise<void> {
    const lanes = waiting.map(({ lane }) => lane);
    this.requests.push({ lanes, deliveryIds });
    this.ring(lanes);
    return Promise.resolve();
  }

  /** From now on rung lanes are drained. */
  start(drain: (lane: Lane) => Promise<unknown>): void {
    this.drain = drain;
  }

  /** Rings what was to be rung within the next `ms` milliseconds. */
  elapse(ms: number): void {
    for (const later of this.rungLater.splice(0)) {
      if (later.delayMs <= ms) this.ring([later.lane]);
      else this.rungLater.push({ lane: later.lane, delayMs: later.delayMs - ms });
    }
  }

  /** Resolves when no lane waits for a turn any more. */
  async settled(): Promise<void> {
    for (let seen: Promise<void> | null = null; seen !== this.turns;) {
      seen = this.turns;
      await seen;
    }
  }

  private queue(lane: Lane): void {
    if (this.waiting.has(lane.subscriptionId)) return;
    this.waiting.set(lane.subscriptionId, lane);
    this.turns = this.turns.then(async () => {
      this.waiting.delete(lane.subscriptionId);
      // A turn that fails is left to the sweep, as the real dispatchers leave it.
      await this.drain?.(lane).catch(() => undefined);
    });
  }
}
