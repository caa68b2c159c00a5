/** Milliseconds of a bucket, and how many there are: the share of failed attempts is that of five minutes. */
export const BUCKET_MS = 30_000;
export const BUCKETS = 10;

/** Attempts that ended lately, by the bucket that they ended in, the newest first. */
export interface RecentAttempts {
  /** Number of the newest bucket, counted from the epoch. */
  readonly bucket: number;
  readonly attempts: readonly number[];
  readonly failed: readonly number[];
}

export function bucketOf(ms: number): number {
  return Math.floor(ms / BUCKET_MS);
}

/** @param good attempts of before that went well, by bucket, the newest first */
export function countedFrom(nowMs: number, good: readonly number[] = []): RecentAttempts {
  const attempts = Array.from({ length: BUCKETS }, (_unused, n) => good[n] ?? 0);
  return { bucket: bucketOf(nowMs), attempts, failed: attempts.map(() => 0) };
}

/** With what ended now; what ended five minutes ago is forgotten. The function `webhook_recent_after` does it to each list. */
export function withAttempts(
  recent: RecentAttempts,
  nowMs: number,
  { attempts, failed }: { readonly attempts: number; readonly failed: number },
): RecentAttempts {
  const bucket = bucketOf(nowMs);
  // A clock that was set back leaves the counts where they are.
  const passed = Math.min(Math.max(bucket - recent.bucket, 0), BUCKETS);
  const moved = (counts: readonly number[], more: number): number[] => {
    const [first = 0, ...others] = [...Array<number>(passed).fill(0), ...counts.slice(0, BUCKETS - passed)];
    return [first + more, ...others];
  };
  return { bucket, attempts: moved(recent.attempts, attempts), failed: moved(recent.failed, failed) };
}

export function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
