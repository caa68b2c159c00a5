/** The timer as it was at load: a suite that installs fake timers must not freeze its own polling. */
const realSetTimeout = globalThis.setTimeout;

export interface EventuallyOptions {
  /** How long to keep trying, in milliseconds; the default is for a machine that is ten times as slow as a good one. */
  readonly timeoutMs?: number;
  /** Pause between two tries, in milliseconds, default 20. It grows as time passes, unless it is shorter than that. */
  readonly intervalMs?: number;
  /** What was awaited; opens the error of a missed deadline. */
  readonly message?: string;
}

const USUAL_MS = 20;
const LONGEST_MS = 100;

/** What takes long is asked for less often, and found out a tenth later at most. What asks for a shorter pause needs it. */
function pauseAfter(passedMs: number, intervalMs: number): number {
  return intervalMs < USUAL_MS ? intervalMs : Math.max(intervalMs, Math.min(passedMs / 10, LONGEST_MS));
}

/**
 * Repeats `attempt` until it returns without throwing, and gives its result. The replacement for sleeping in tests.
 *
 * @throws the last error of `attempt` at the deadline, with `message` in front of its own text; an attempt that never
 * settles counts as failed as well.
 * @example await eventually(async () => expect(await statusOf(id)).toBe('DELIVERED'), { timeoutMs: 5_000 });
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { timeoutMs = 30_000, intervalMs = USUAL_MS, message }: EventuallyOptions = {},
): Promise<T> {
  const startedAtMs = performance.now();
  const deadlineMs = startedAtMs + timeoutMs;
  let lastError: Error | undefined;
  for (;;) {
    try {
      return await withinDeadline(attempt, deadlineMs - performance.now(), lastError);
    } catch (error) {
      lastError = error instanceof Error ? error : new Error(String(error));
    }
    const pauseMs = pauseAfter(performance.now() - startedAtMs, intervalMs);
    if (performance.now() + pauseMs > deadlineMs) throw describe(lastError, message, timeoutMs);
    await new Promise((resolve) => realSetTimeout(resolve, pauseMs));
  }
}

async function withinDeadline<T>(
  attempt: () => T | Promise<T>,
  remainingMs: number,
  lastError: Error | undefined,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = realSetTimeout(
      () => reject(lastError ?? new Error('the attempt itself never ended')),
      remainingMs,
    );
  });
  try {
    return await Promise.race([Promise.resolve().then(attempt), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same object, so that a matcher's diff and stack survive; `message` only goes in front of its text. */
function describe(error: Error, message: string | undefined, timeoutMs: number): Error {
  const prefix = message === undefined ? '' : `${message} (not within ${timeoutMs} ms): `;
  if (!error.message.startsWith(prefix)) error.message = prefix + error.message;
  return error;
}
