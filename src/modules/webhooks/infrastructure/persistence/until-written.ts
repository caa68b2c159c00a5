import { isDatabaseUnavailable } from '../../../../platform/database/database-unavailable.js';
import { sqlFailureOf } from '../../../../platform/observability/sql-failure.js';

/** Milliseconds between tries, the last of them again and again: less than a process that was away has to catch up. */
const BACKOFF_MS = [100, 200, 400, 800, 1_600] as const;

/**
 * Milliseconds of waiting after which it is given up: far beyond a restart or a failover. Until then the process lives and
 * its leases are taken by nobody, so what it knows is worth more than what a second request would bring.
 */
const PATIENCE_MS = 600_000;

/**
 * SQLSTATE classes of what may succeed later, unchanged: rollback (deadlock, serialisation), resources, state (locks),
 * intervention (timeouts), system (PostgreSQL, appendix A).
 */
const MAY_PASS = /^(?:40|53|55|57|58)/;

const pauseFor = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Who is told that something waits, and how it went. */
export interface OfWaiting {
  /** Once, at the first failure. */
  waits(cause: unknown): void;
  written(waitedMs: number): void;
}

/**
 * Writes, and tries again while the database is away.
 *
 * @throws the last error, when it was refused or the database stayed away
 */
export async function untilWritten<T>(
  write: () => Promise<T>,
  told: OfWaiting,
  pause: (ms: number) => Promise<void> = pauseFor,
): Promise<T> {
  let waitedMs = 0;
  for (let tries = 0; ; tries += 1) {
    try {
      const written = await write();
      if (tries > 0) told.written(waitedMs);
      return written;
    } catch (cause) {
      if (isRefused(cause) || waitedMs >= PATIENCE_MS) throw cause;
      if (tries === 0) told.waits(cause);
    }
    const ms = BACKOFF_MS[Math.min(tries, BACKOFF_MS.length - 1)] ?? 0;
    waitedMs += ms;
    await pause(ms);
  }
}

/**
 * Whether trying the same again cannot help: PostgreSQL judged the statement itself, or the code that makes it is wrong. What
 * nobody knows is held for an outage: waiting costs less than sending twice.
 */
export function isRefused(cause: unknown): boolean {
  if (cause instanceof TypeError || cause instanceof RangeError) return true;
  if (!(cause instanceof Error) || isDatabaseUnavailable(cause)) return false;
  const { sqlstate } = sqlFailureOf(cause) ?? { sqlstate: 'none' };
  return sqlstate !== 'none' && !MAY_PASS.test(sqlstate);
}
