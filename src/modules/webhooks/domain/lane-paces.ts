import { nextConcurrency, type ConcurrencyLimits } from './endpoint-concurrency.js';

/** The paces of endpoints that are known, quickest first. */
export const KNOWN_PACES = ['fast', 'slow', 'hanging'] as const;
export type KnownPace = (typeof KNOWN_PACES)[number];

/** How an endpoint answers, as far as this process has seen: `unproven` until its first answer. */
export type Pace = 'unproven' | KnownPace;

/** Milliseconds under way from which on an attempt has a pace; the quickest one begins at 0. */
export type PaceAges = Readonly<Record<Exclude<KnownPace, 'fast'>, number>>;

/** What this process has seen of one lane's endpoint. */
interface Known {
  readonly pace: KnownPace;
  /** Requests that the endpoint may have under way. */
  readonly concurrency: number;
}

/** What this process has seen of its lanes, as much of it as there is room for; the oldest knowledge goes first. */
export class LanePaces {
  private readonly lanes = new Map<string, Known>();

  /** @param capacity lanes that are remembered */
  constructor(
    private readonly ages: PaceAges,
    private readonly concurrency: ConcurrencyLimits,
    private readonly capacity: number,
  ) {}

  of(subscriptionId: string): Pace {
    return this.lanes.get(subscriptionId)?.pace ?? 'unproven';
  }

  /** Requests that an endpoint may have under way by now, in this process. */
  concurrencyOf(subscriptionId: string): number {
    return this.lanes.get(subscriptionId)?.concurrency ?? this.concurrency.first;
  }

  /** One answer, of whatever status, tells the pace of an endpoint until the next one, and how much it can take. */
  answered(subscriptionId: string, durationMs: number, isHealthy: boolean): void {
    const { slow, hanging } = this.ages;
    const pace = durationMs < slow ? 'fast' : durationMs < hanging ? 'slow' : 'hanging';
    this.learn(subscriptionId, {
      pace,
      concurrency: nextConcurrency(
        this.concurrencyOf(subscriptionId),
        isHealthy,
        durationMs,
        this.concurrency,
      ),
    });
  }

  /** An attempt under way is of this pace by now, and need not end for that. */
  atLeast(subscriptionId: string, pace: KnownPace): void {
    const known = this.lanes.get(subscriptionId);
    if (known !== undefined && !isSlower(pace, known.pace)) return;
    this.learn(subscriptionId, { pace, concurrency: this.concurrencyOf(subscriptionId) });
  }

  private learn(subscriptionId: string, seen: Known): void {
    const known = this.lanes.get(subscriptionId);
    if (known?.pace === seen.pace && known.concurrency === seen.concurrency) return;
    // A Map keeps the order of insertion: taken out and put back, what changed last is the youngest.
    this.lanes.delete(subscriptionId);
    this.lanes.set(subscriptionId, seen);
    if (this.lanes.size <= this.capacity) return;
    const oldest = this.lanes.keys().next();
    if (oldest.done !== true) this.lanes.delete(oldest.value);
  }
}

export function isSlower(one: KnownPace, other: KnownPace): boolean {
  return KNOWN_PACES.indexOf(one) > KNOWN_PACES.indexOf(other);
}
