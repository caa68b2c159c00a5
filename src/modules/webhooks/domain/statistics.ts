/** How an attempt ended. `first`: delivered by the first attempt; `failed`: the delivery has failed for good. */
export const ATTEMPT_OUTCOMES = ['first', 'delivered', 'retried', 'failed'] as const;

export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** Attempts of a bucket that ended in one way and took as long. */
export interface CountedAttempts {
  /** Milliseconds since the epoch at which the bucket begins. */
  readonly startMs: number;
  readonly outcome: AttemptOutcome;
  /** Empty: there was no error. */
  readonly errorClass: string;
  /** Exact up to 127, then cut to 64 steps for each doubling. */
  readonly durationMs: number;
  readonly count: number;
}

/** What became of the attempts of a time. */
export interface Statistics {
  readonly attempts: number;
  /** Attempts that delivered. */
  readonly delivered: number;
  /** Those of them that were the first of their delivery. */
  readonly deliveredFirst: number;
  /** Failed attempts that others followed. */
  readonly retried: number;
  /** Attempts after which the delivery had failed for good. */
  readonly failed: number;
  readonly errorClasses: Readonly<Record<string, number>>;
  /** Of the requests that were sent; null: there were none. */
  readonly durationMs: { readonly p50: number | null; readonly p95: number | null };
}

export interface Bucket extends Statistics {
  readonly startMs: number;
}

/** Attempts that sent nothing: how long they took says nothing about an endpoint. */
const NOT_SENT: ReadonlySet<string> = new Set(['template_error', 'blocked']);

/** One bucket for each step from `fromMs` up to `toMs`, also where there was nothing. */
export function bucketsOf(
  counted: readonly CountedAttempts[],
  range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
): Bucket[] {
  const byStart = new Map<number, CountedAttempts[]>();
  for (const of of counted) byStart.set(of.startMs, [...(byStart.get(of.startMs) ?? []), of]);
  const buckets: Bucket[] = [];
  for (let startMs = range.fromMs; startMs < range.toMs; startMs += range.stepMs) {
    buckets.push({ startMs, ...statisticsOf(byStart.get(startMs) ?? []) });
  }
  return buckets;
}

export function statisticsOf(counted: readonly CountedAttempts[]): Statistics {
  const outcomes: Record<AttemptOutcome, number> = { first: 0, delivered: 0, retried: 0, failed: 0 };
  const errorClasses: Record<string, number> = {};
  for (const { outcome, errorClass, count } of counted) {
    outcomes[outcome] += count;
    if (errorClass !== '') errorClasses[errorClass] = (errorClasses[errorClass] ?? 0) + count;
  }
  const { first, delivered, retried, failed } = outcomes;
  const sent = counted.filter(({ errorClass }) => !NOT_SENT.has(errorClass));
  return {
    attempts: first + delivered + retried + failed,
    delivered: first + delivered,
    deliveredFirst: first,
    retried,
    failed,
    errorClasses,
    durationMs: { p50: percentile(sent, 0.5), p95: percentile(sent, 0.95) },
  };
}

/** The least duration that so large a share of the attempts did not exceed (nearest rank, as `percentile_disc`). */
function percentile(counted: readonly CountedAttempts[], share: number): number | null {
  const sorted = [...counted].sort((a, b) => a.durationMs - b.durationMs);
  const rank = Math.ceil(share * sorted.reduce((sum, { count }) => sum + count, 0));
  let passed = 0;
  for (const { durationMs, count } of sorted) {
    passed += count;
    if (passed >= rank) return durationMs;
  }
  return null;
}
