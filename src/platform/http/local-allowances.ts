import { judge, type Verdict } from './request-allowance.js';

/** Senders that are remembered; beyond them the one that has been silent longest is forgotten. */
const MAX_SENDERS = 10_000;

/** The allowances of senders as this process alone counts them. */
export class LocalAllowances {
  /** When everything is back, in milliseconds of the clock; least recently heard of first. */
  private readonly fullAtMs = new Map<string, number>();

  constructor(private readonly perMinute: number) {}

  take(sender: string, nowMs: number): Verdict {
    const verdict = judge(Math.max(0, (this.fullAtMs.get(sender) ?? 0) - nowMs), this.perMinute);
    this.fullAtMs.delete(sender);
    this.fullAtMs.set(sender, nowMs + verdict.fullAfterMs);
    if (this.fullAtMs.size > MAX_SENDERS) {
      const [silent] = this.fullAtMs.keys();
      if (silent !== undefined) this.fullAtMs.delete(silent);
    }
    return verdict;
  }
}
