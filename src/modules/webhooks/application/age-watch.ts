/** An attempt that is watched; whoever began it says when it is done. */
export interface Aging {
  /** By a clock that never goes backwards. */
  readonly startedAtMs: number;
  done: boolean;
}

interface Watched {
  readonly attempt: Aging;
  /** Called when the attempt has come to the age; false: try again in a moment. */
  readonly onAge: () => boolean;
}

/** Milliseconds between two looks: fine enough beside the ages that are watched for. */
const LOOK_EVERY_MS = 25;

/** Notices attempts that come to an age, with one timer for all of them: most end long before anybody looks. */
export class AgeWatch {
  /** In the order in which they began. */
  private readonly young: Watched[] = [];
  /** Of age, but what follows from it could not be done yet. */
  private waiting: Watched[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly ageMs: number,
    private readonly nowMs: () => number,
  ) {}

  watch(attempt: Aging, onAge: () => boolean): void {
    this.young.push({ attempt, onAge });
    this.timer ??= setInterval(() => {
      this.look();
    }, LOOK_EVERY_MS);
  }

  private look(): void {
    const latestStartMs = this.nowMs() - this.ageMs;
    const firstYoung = this.young.findIndex(
      ({ attempt }) => !attempt.done && attempt.startedAtMs > latestStartMs,
    );
    const grown = this.young.splice(0, firstYoung === -1 ? this.young.length : firstYoung);
    this.waiting = [...this.waiting, ...grown].filter(({ attempt, onAge }) => !attempt.done && !onAge());
    if (this.young.length > 0 || this.waiting.length > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }
}
