import type { Lane } from '../../domain/lane.js';

/** Whatever follows from how it ends is done by the turn itself. */
export type DrainTurn = (lane: Lane) => Promise<unknown>;

interface Entry {
  readonly lane: Lane;
  /** Rung while its turn was running: it gets another turn, so no ring is lost. */
  rungAgain: boolean;
  running: boolean;
  /** Who is told when the turn that comes next has ended. */
  waiting: (() => void)[];
}

const nobody: readonly (() => void)[] = [];

/**
 * Gives lanes their turns in this process: each lane at most one at a time, first rung first served, and a lane
 * that was rung during its turn goes to the end of the line.
 */
export class LaneScheduler {
  private readonly entries = new Map<string, Entry>();
  private readonly line: Entry[] = [];
  private turns = 0;
  private stopped = false;

  constructor(
    private readonly drain: DrainTurn,
    private readonly options: {
      readonly parallel: number;
      readonly onError: (lane: Lane, cause: unknown) => void;
    },
  ) {}

  /** @param ended called when the turn that follows from it has, however it did, or will not begin any more */
  ring(lane: Lane, ended?: () => void): void {
    if (this.stopped) {
      ended?.();
      return;
    }
    const known = this.entries.get(lane.subscriptionId);
    if (known !== undefined) {
      known.rungAgain = known.running;
      if (ended !== undefined) known.waiting.push(ended);
      return;
    }
    const entry: Entry = {
      lane,
      rungAgain: false,
      running: false,
      waiting: ended === undefined ? [] : [ended],
    };
    this.entries.set(lane.subscriptionId, entry);
    this.line.push(entry);
    this.next();
  }

  stop(): void {
    this.stopped = true;
    this.line.length = 0;
    for (const entry of this.entries.values()) tell(entry.waiting.splice(0));
  }

  private next(): void {
    while (!this.stopped && this.turns < this.options.parallel) {
      const entry = this.line.shift();
      if (entry === undefined) return;
      this.turns += 1;
      entry.running = true;
      const waiting = entry.waiting.length === 0 ? nobody : entry.waiting.splice(0);
      this.drain(entry.lane)
        .catch((cause: unknown) => {
          this.options.onError(entry.lane, cause);
        })
        .then(() => {
          this.finish(entry);
          tell(waiting);
        })
        .catch((cause: unknown) => {
          this.options.onError(entry.lane, cause);
        });
    }
  }

  private finish(entry: Entry): void {
    this.turns -= 1;
    entry.running = false;
    if (entry.rungAgain) {
      entry.rungAgain = false;
      this.line.push(entry);
    } else {
      this.entries.delete(entry.lane.subscriptionId);
    }
    this.next();
  }
}

function tell(all: readonly (() => void)[]): void {
  for (const one of all) one();
}
