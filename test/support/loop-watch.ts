/** Milliseconds between two looks; nothing shorter than this is of interest. */
const INTERVAL_MS = 5;

/**
 * Measures the longest stretch of work that this process did without coming back to its event loop, in milliseconds of
 * CPU. Not of time: on a busy machine a process waits for its turn, which says nothing about what it does with it.
 */
export class LoopWatch {
  private readonly timer: NodeJS.Timeout;
  private last = process.cpuUsage();
  private longestMs = 0;

  constructor() {
    this.timer = setInterval(() => {
      this.look();
    }, INTERVAL_MS);
  }

  /** What was measured since it began, or since the last call of this. */
  take(): number {
    this.look();
    const longest = this.longestMs;
    this.longestMs = 0;
    return longest;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const now = process.cpuUsage();
    const spent = now.user + now.system - this.last.user - this.last.system;
    this.last = now;
    this.longestMs = Math.max(this.longestMs, spent / 1_000);
  }
}

/** Milliseconds of CPU that a synchronous piece of work takes. */
export function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
