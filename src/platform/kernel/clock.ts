/** The process's clock. Rows never take their times from it: those are the database's `now()`. */
export abstract class Clock {
  /** Milliseconds since the epoch. */
  abstract nowMs(): number;
  /** Milliseconds from an arbitrary start that never goes backwards, for durations. */
  abstract monotonicMs(): number;
}

export class SystemClock extends Clock {
  override nowMs(): number {
    return Date.now();
  }

  override monotonicMs(): number {
    return performance.now();
  }
}
