const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Widths that a bucket may have, in milliseconds. */
export const BUCKETS = {
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '15m': 15 * MINUTE_MS,
  '1h': HOUR_MS,
  '2h': 2 * HOUR_MS,
  '6h': 6 * HOUR_MS,
  '1d': DAY_MS,
} as const;

export type BucketName = keyof typeof BUCKETS;

export const BUCKET_NAMES = Object.keys(BUCKETS) as BucketName[];

/** Buckets of one answer. */
export const MAX_BUCKETS = 1_500;

/** How long minutes are kept, in milliseconds; hours are kept much longer. */
export const MINUTES_KEPT_MS = 48 * HOUR_MS;

/** What is answered for, in whole buckets of UTC. */
export interface StatisticsRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly bucket: BucketName;
  readonly stepMs: number;
  /** Minutes that the rollups which it is added up from are of. */
  readonly width: 1 | 60;
}

export interface RangeWish {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly bucket?: BucketName | undefined;
}

export type RangeResult =
  | { readonly ok: true; readonly range: StatisticsRange }
  | { readonly ok: false; readonly field: 'from' | 'to' | 'bucket'; readonly message: string };

/**
 * The range that somebody asks for: the last day up to now, in buckets of a width that makes a chart, unless they say
 * otherwise. It begins and ends with whole buckets.
 */
export function statisticsRange({ from, to, bucket }: RangeWish, nowMs: number): RangeResult {
  const endMs = to?.getTime() ?? nowMs;
  const beginMs = from?.getTime() ?? endMs - DAY_MS;
  if (endMs < beginMs) return { ok: false, field: 'to', message: 'To must not be before from' };
  const name = bucket ?? usualBucket(endMs - beginMs, nowMs - beginMs);
  const stepMs = BUCKETS[name];
  const fromMs = Math.floor(beginMs / stepMs) * stepMs;
  const toMs = Math.max(fromMs + stepMs, Math.ceil(endMs / stepMs) * stepMs);
  if ((toMs - fromMs) / stepMs > MAX_BUCKETS) {
    const message = `From and to are more than ${MAX_BUCKETS} buckets of ${name} apart`;
    return { ok: false, field: 'bucket', message };
  }
  const width = stepMs < HOUR_MS ? 1 : 60;
  if (width === 1 && fromMs < nowMs - MINUTES_KEPT_MS) {
    const message = 'Buckets of less than 1h are kept for 48 hours: from must not be older';
    return { ok: false, field: 'from', message };
  }
  return { ok: true, range: { fromMs, toMs, bucket: name, stepMs, width } };
}

function usualBucket(lengthMs: number, ageMs: number): BucketName {
  const isRecent = ageMs <= MINUTES_KEPT_MS - HOUR_MS;
  if (isRecent && lengthMs <= HOUR_MS) return '1m';
  if (isRecent && lengthMs <= DAY_MS) return '15m';
  return lengthMs <= 7 * DAY_MS ? '2h' : '1d';
}
