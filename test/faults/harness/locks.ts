import { eventually } from '../../support/eventually.js';
import type { FaultLab } from './lab.js';

export interface HeldLock {
  readonly release: () => Promise<void>;
}

/** Takes a lock in a transaction that stays open: whoever needs the same stands still there until it is released. */
export async function holdLock(lab: FaultLab, statement: string, values: unknown[] = []): Promise<HeldLock> {
  const client = await lab.connect();
  await client.query('BEGIN');
  await client.query(statement, values);
  return {
    release: async () => {
      await client.query('ROLLBACK');
      client.release();
    },
  };
}

/** Resolves when a statement of the service that contains `part` waits for a lock. */
export async function untilBlocked(lab: FaultLab, part: string): Promise<void> {
  await eventually(
    async () => {
      const blocked = await lab.query(
        `SELECT 1 FROM pg_stat_activity
          WHERE application_name = 'gestiqcloud-webhooks' AND wait_event_type = 'Lock' AND position($1 IN query) > 0`,
        [part],
      );
      if (blocked.length === 0) throw new Error(`no statement with "${part}" waits for a lock`);
    },
    { timeoutMs: 10_000 },
  );
}

/**
 * Ends the statements of the service that contain `part` and wait for a lock: they have left their process, and the database
 * would carry them out without it.
 */
export async function endBlocked(lab: FaultLab, part: string): Promise<void> {
  await lab.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'gestiqcloud-webhooks' AND wait_event_type = 'Lock' AND position($1 IN query) > 0`,
    [part],
  );
}
