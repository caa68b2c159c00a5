import type { Lane } from '../../domain/lane.js';

/** Waits longer than this, in milliseconds, are left to the sweep: a restart would lose the timer anyway. */
const LONGEST_MS = 60_000;

/** Timers kept at most; more are left to the sweep. */
const CAPACITY = 50_000;

interface Wake {
  readonly atMs: number;
  readonly timer: NodeJS.Timeout;
}

/** Rings a lane at the moment when its next retry is due, instead of at the sweep after it. */
export class WakeTimers {
  private readonly wakes = new Map<string, Wake>();

  constructor(private readonly ring: (lanes: readonly Lane[]) => void) {}

  /** Keeps the earliest wake of each lane. */
  wakeAfter(lane: Lane, delayMs: number): void {
    const atMs = performance.now() + delayMs;
    const known = this.wakes.get(lane.subscriptionId);
    if (delayMs > LONGEST_MS || (known === undefined && this.wakes.size >= CAPACITY)) return;
    if (known !== undefined) {
      // A retry that is due later rings again after the earlier wake, from the turn or from the sweep.
      if (known.atMs <= atMs) return;
      clearTimeout(known.timer);
    }
    // 1 ms more than asked for: a timer can fire early by the fraction that the database's clock would still miss.
    const timer = setTimeout(() => {
      this.wakes.delete(lane.subscriptionId);
      this.ring([lane]);
    }, delayMs + 1);
    this.wakes.set(lane.subscriptionId, { atMs, timer });
  }

  stop(): void {
    for (const { timer } of this.wakes.values()) clearTimeout(timer);
    this.wakes.clear();
  }
}
