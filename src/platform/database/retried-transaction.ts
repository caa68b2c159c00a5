import type { DataSource, EntityManager } from 'typeorm';

import { isRepeatable } from './sqlstate.js';

const MAX_TRIES = 4;

/** Milliseconds before the second try, doubling; up to twice as long, so that two that collided do not do so again. */
const FIRST_PAUSE_MS = 10;

/**
 * A transaction that is tried again, a few times, when PostgreSQL took it back for the sake of another one. `work` runs
 * anew each time, so it may do nothing that outlives a rollback.
 */
export async function retriedTransaction<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await dataSource.transaction(work);
    } catch (cause) {
      if (tries === MAX_TRIES || !isRepeatable(cause)) throw cause;
      const pauseMs = FIRST_PAUSE_MS * 2 ** (tries - 1) * (1 + Math.random());
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
