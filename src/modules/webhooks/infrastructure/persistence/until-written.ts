import { isDatabaseUnavailable } from '../../../../platform/database/database-unavailable.js';
import { isRefusedForGood } from '../../../../platform/database/sqlstate.js';

/** Milliseconds between tries, the last of them again and again: less than a process that was away has to catch up. */
const BACKOFF_MS = [100, 200, 400, 800, 1_600] as const;

/**
 * Milliseconds of waiting after which it is given up: far beyond a restart or a failover. Until then the process lives and
 * its leases are taken by nobody, so what it knows is worth more than what a second request would bring.
 */
const PATIENCE_MS = 600_000;

const pauseFor = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Who is told that something waits, and how it went. */
export interface OfWaiting {
  /** Once, at the first failure. */
  waits(cause: unknown): void;
  written(waitedMs: number): void;
}

/** Milliseconds that are left, together, for what belongs together: to wait, and for statements that fail. */
export interface Patience {
  leftMs: number;
}

export const newPatience = (): Patience => ({ leftMs: PATIENCE_MS });

export interface Waiting {
  readonly told: OfWaiting;
  /** Whether an error is one that waiting does not help against. */
  readonly isOver: (cause: unknown) => boolean;
  readonly patience: Patience;
  readonly pause?: ((ms: number) => Promise<void>) | undefined;
}

/**
 * Writes, and tries again while the database is away.
 *
 * @throws the last error, when waiting does not help against it or the database stayed away
 */
export async function untilWritten<T>(
  write: () => Promise<T>,
  { told, isOver, patience, pause = pauseFor }: Waiting,
): Promise<T> {
  let waitedMs = 0;
  for (let tries = 0; ; tries += 1) {
    const startedAtMs = performance.now();
    try {
      const written = await write();
      if (tries > 0) told.written(waitedMs);
      return written;
    } catch (cause) {
      patience.leftMs -= performance.now() - startedAtMs;
      if (isOver(cause) || patience.leftMs <= 0) throw cause;
      if (tries === 0) told.waits(cause);
    }
    const ms = BACKOFF_MS[Math.min(tries, BACKOFF_MS.length - 1)] ?? 0;
    waitedMs += ms;
    patience.leftMs -= ms;
    await pause(ms);
  }
}

/**
 * Whether trying the same again cannot help: PostgreSQL judged the statement itself, or the code that makes it is wrong. What
 * nobody knows is held for an outage: waiting costs less than sending twice.
 */
export function isRefused(cause: unknown): boolean {
  if (cause instanceof TypeError || cause instanceof RangeError) return true;
  return isRefusedForGood(cause) && !isDatabaseUnavailable(cause);
}
