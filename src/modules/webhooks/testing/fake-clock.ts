import { Clock } from '../../../platform/kernel/clock.js';

/** Time that stands still until a test moves it. */
export class FakeClock extends Clock {
  constructor(private ms = Date.parse('2026-01-02T03:04:05Z')) {
    super();
  }

  override nowMs(): number {
    return this.ms;
  }

  override monotonicMs(): number {
    return this.ms;
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}
