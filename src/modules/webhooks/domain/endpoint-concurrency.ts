/** Requests under way to one endpoint. */
export interface ConcurrencyLimits {
  /** Until the endpoint has answered for the first time. */
  readonly first: number;
  /** After its first good and prompt answer: that one showed that it works, and each step costs a claim. */
  readonly proven: number;
  /** What a failing endpoint keeps: one request for its retries and one for what is new, so that neither waits for the other. */
  readonly least: number;
  readonly most: number;
  /** Milliseconds within which an answer shows that the endpoint can take more. */
  readonly promptMs: number;
}

/**
 * How many requests an endpoint may have under way after one more answer. It starts small, has some more after its first good and
 * prompt answer, and grows by one for each further one, which doubles it in the time of one answer; a failure of the endpoint (no answer, 429, 5xx) halves it. A slow or refusing (4xx) answer says nothing about how much it can take.
 */
export function nextConcurrency(
  now: number,
  isHealthy: boolean,
  durationMs: number,
  { least, proven, most, promptMs }: ConcurrencyLimits,
): number {
  if (!isHealthy) return Math.max(least, Math.floor(now / 2));
  if (durationMs > promptMs) return now;
  return Math.min(most, now < least ? proven : now + 1);
}
