import type { EventEmitter } from 'node:events';

/**
 * Milliseconds after the first signal from which another one means it: earlier ones are the same Ctrl-C, which npm and
 * shells pass on once more.
 */
const INSIST_AFTER_MS = 2_000;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type StopSignal = (typeof SIGNALS)[number];

/** The signals that ask the server to end, from the moment when there is something to end. */
export class StopSignals {
  /** Resolves with the first signal. */
  readonly requested: Promise<StopSignal>;
  private firstAtMs: number | null = null;
  private resolve: (signal: StopSignal) => void = () => undefined;

  /** @param insist is called when somebody asks again, later: they do not want to wait. */
  constructor(
    private readonly insist: (signal: StopSignal) => void,
    signals: EventEmitter,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.requested = new Promise((resolve) => {
      this.resolve = resolve;
    });
    // `on`, not `once`: without a listener the second signal would end the process in the middle of an attempt.
    for (const signal of SIGNALS) {
      signals.on(signal, () => {
        this.receive(signal);
      });
    }
  }

  /** Whether the server was asked to end, perhaps before it had started. */
  get received(): boolean {
    return this.firstAtMs !== null;
  }

  private receive(signal: StopSignal): void {
    if (this.firstAtMs === null) {
      this.firstAtMs = this.nowMs();
      this.resolve(signal);
    } else if (this.nowMs() - this.firstAtMs >= INSIST_AFTER_MS) this.insist(signal);
  }
}
