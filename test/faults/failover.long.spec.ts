import { expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults } from './harness/fault-suite.js';

/** Transactions open at a time. */
const CONCURRENCY = 8;

/*
 * A process sees one address; behind it, the standby takes the place of its primary.
 */
describeFaults(
  'a PostgreSQL that fails over to its standby',
  (openLab) => {
    /*
     * Emits are answered when the standby has them. Claims and results ask for less: what the standby did not get of them is
     * attempted again, once. Red when events are stored as claims are (synchronous_commit off at the emit).
     */
    it('has every event that was emitted, and deliveries go on', async () => {
      const lab = await openLab({ lanes: 4, timeoutSeconds: 20 });
      const workers = await lab.startWorkers(2);
      // Good answers of each: an endpoint gets one more place for each of them.
      await lab.emit(48);
      await lab.settle();
      lab.receiver.behave('hold');
      await lab.emit(24);
      await eventually(() => expect(lab.receiver.heldCount).toBe(24));
      let emitting = Promise.resolve();
      await lab.servers.failOver(async () => {
        emitting = lab.emit(40, { concurrency: CONCURRENCY });
        await eventually(async () => {
          const [waiting] = await lab.query<{ count: number }>(
            `SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
          );
          expect(waiting?.count).toBeGreaterThanOrEqual(CONCURRENCY);
        });
        expect(lab.countOf('committed')).toBe(48 + 24);
      });
      lab.receiver.release();
      lab.receiver.behave(200);
      await emitting;
      await lab.emit(20);
      await lab.settle();
      const others = (await lab.violations()).filter((line) => !/was sent (2 times|again)/.test(line));
      expect(others).toEqual([]);
      expect(lab.countOf('committed')).toBeGreaterThanOrEqual(48 + 24 + 20);
      const { DELIVERED = 0, ...rest } = await lab.counts();
      expect(rest).toEqual({});
      expect(DELIVERED).toBeGreaterThanOrEqual(lab.countOf('committed'));
      expect(workers.map(({ running }) => running)).toEqual([true, true]);
    }, 240_000);
  },
  { standby: true },
);
