/** The paces of endpoints that are known, quickest first. */
export const KNOWN_PACES = ['fast', 'slow', 'hanging'] as const;
export type KnownPace = (typeof KNOWN_PACES)[number];

/** How an endpoint answers, as far as this process has seen: `unproven` until its first answer. */
export type Pace = 'unproven' | KnownPace;

/** Milliseconds under way from which on an attempt has a pace; the quickest one begins at 0. */
export type PaceAges = Readonly<Record<Exclude<KnownPace, 'fast'>, number>>;

/** What this process has seen of its lanes, as much of it as there is room for; the oldest knowledge goes first. */
export class LanePaces {
  private readonly paces = new Map<string, { readonly pace: KnownPace; readonly hasAnswered: boolean }>();

  /** @param capacity lanes that are remembered */
  constructor(
    private readonly ages: PaceAges,
    private readonly capacity: number,
  ) {}

  of(subscriptionId: string): Pace {
    return this.paces.get(subscriptionId)?.pace ?? 'unproven';
  }

  /** Whether an attempt has ended, for better or worse: an endpoint that takes long at its first one has not. */
  hasAnswered(subscriptionId: string): boolean {
    return this.paces.get(subscriptionId)?.hasAnswered === true;
  }

  /** One answer, of whatever status, tells the pace of an endpoint until the next one. */
  answered(subscriptionId: string, durationMs: number): void {
    const { slow, hanging } = this.ages;
    this.learn(subscriptionId, durationMs < slow ? 'fast' : durationMs < hanging ? 'slow' : 'hanging', true);
  }

  /** An attempt under way is of this pace by now, and need not end for that. */
  atLeast(subscriptionId: string, pace: KnownPace): void {
    const known = this.paces.get(subscriptionId);
    if (known === undefined || isSlower(pace, known.pace)) {
      this.learn(subscriptionId, pace, known?.hasAnswered === true);
    }
  }

  private learn(subscriptionId: string, pace: KnownPace, hasAnswered: boolean): void {
    const known = this.paces.get(subscriptionId);
    if (known?.pace === pace && known.hasAnswered === hasAnswered) return;
    // A Map keeps the order of insertion: taken out and put back, what changed last is the youngest.
    this.paces.delete(subscriptionId);
    this.paces.set(subscriptionId, { pace, hasAnswered });
    if (this.paces.size <= this.capacity) return;
    const oldest = this.paces.keys().next();
    if (oldest.done !== true) this.paces.delete(oldest.value);
  }
}

export function isSlower(one: KnownPace, other: KnownPace): boolean {
  return KNOWN_PACES.indexOf(one) > KNOWN_PACES.indexOf(other);
}
