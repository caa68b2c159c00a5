import type { Lane } from '../domain/lane.js';

/** Milliseconds until a lane is looked at again that other processes are at, doubling from the first to the longest. */
const FIRST_MS = 20;
const LONGEST_MS = 1_000;

/** How long to wait before a lane is looked at again in which others are in the way: briefly at first, then less and less often. */
export class LookAgain {
  private readonly waits = new Map<string, number>();

  /** @returns milliseconds */
  after({ subscriptionId }: Lane): number {
    const waitMs = this.waits.get(subscriptionId) ?? FIRST_MS;
    this.waits.set(subscriptionId, Math.min(waitMs * 2, LONGEST_MS));
    return waitMs;
  }

  /** Nobody is in the way any more. */
  forget({ subscriptionId }: Lane): void {
    this.waits.delete(subscriptionId);
  }
}
