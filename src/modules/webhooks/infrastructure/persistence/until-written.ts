/** Milliseconds between tries, the last of them again and again: less than a process that was away has to catch up. */
const BACKOFF_MS = [100, 200, 400, 800, 1_600] as const;

/**
 * Milliseconds of waiting after which it is given up: far beyond a restart or a failover. Until then the process lives and
 * its leases are taken by nobody, so what it knows is worth more than what a second request would bring.
 */
const PATIENCE_MS = 600_000;

const pauseFor = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Writes, and tries again while the database is away.
 *
 * @param isRefused whether trying the same again cannot help
 * @throws the last error, when it was refused or the database stayed away
 */
export async function untilWritten<T>(
  write: () => Promise<T>,
  isRefused: (cause: unknown) => boolean,
  pause: (ms: number) => Promise<void> = pauseFor,
): Promise<T> {
  let waitedMs = 0;
  for (let tries = 0; ; tries += 1) {
    try {
      return await write();
    } catch (cause) {
      if (isRefused(cause) || waitedMs >= PATIENCE_MS) throw cause;
    }
    const ms = BACKOFF_MS[Math.min(tries, BACKOFF_MS.length - 1)] ?? 0;
    waitedMs += ms;
    await pause(ms);
  }
}
