import type { Lane } from '../domain/lane.js';
import { ENGINE_LIMITS } from './engine-limits.js';

/** Answers whose result is not written yet, in one process: they are bounded, and lanes that find no room wait here. */
export class UnrecordedResults {
  private count = 0;
  private readonly held = new Map<string, Lane>();

  /** @param goOnWith is given the lanes that have room again */
  constructor(private readonly goOnWith: (lanes: readonly Lane[]) => void) {}

  get isFull(): boolean {
    return this.count >= ENGINE_LIMITS.unrecorded;
  }

  /** The lane goes on when enough results are written. */
  hold(lane: Lane): void {
    this.held.set(lane.subscriptionId, lane);
  }

  answered(): void {
    this.count += 1;
  }

  recorded(): void {
    this.count -= 1;
    if (this.held.size === 0 || this.count >= ENGINE_LIMITS.unrecorded / 2) return;
    const lanes = [...this.held.values()];
    this.held.clear();
    this.goOnWith(lanes);
  }
}
