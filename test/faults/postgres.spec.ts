import { expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults } from './harness/fault-suite.js';
import type { FaultLab } from './harness/lab.js';
import { IS_FULL, size } from './harness/settings.js';

/** What rings go through: with BullMQ in PostgreSQL itself, they are away with it. */
const BROKERS = IS_FULL ? (['redis', 'postgres'] as const) : (['redis'] as const);

const WAYS_DOWN = BROKERS.flatMap((broker) => [['restarts', broker] as const, ['crashes', broker] as const]);

async function cutConnections(lab: FaultLab): Promise<number> {
  await lab.servers.postgres.assertIsMine();
  const cut = await lab.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name IN ('gestiqcloud-webhooks', 'webhook-lanes')`,
  );
  return cut.length;
}

/*
 * None of these faults but a crash is an excuse for a repeated request: the results are kept and written when the database is
 * back.
 * Red when recordAll (typeorm-delivery-lanes.ts) gives up at its first error instead of trying again.
 */
describeFaults('a PostgreSQL that', (openLab) => {
  it.each(BROKERS)(
    'loses every connection again and again, of workers and emitters, with rings on %s: each event once',
    async (broker) => {
      const lab = await openLab({ lanes: 8, tenants: 2, broker });
      const workers = await lab.startWorkers(2);
      for (let round = 1; round <= size(2, 20); round += 1) {
        const seen = lab.receiver.requests.length;
        const emitting = lab.emit(200, { concurrency: 8 });
        await eventually(() => expect(lab.receiver.requests.length).toBeGreaterThan(seen + 40));
        expect(await cutConnections(lab)).toBeGreaterThan(0);
        await emitting;
      }
      await lab.settle();
      expect(await lab.violations()).toEqual([]);
      expect((await lab.counts())['FAILED'] ?? 0).toBe(0);
      expect(workers.map(({ running }) => running)).toEqual([true, true]);
    },
    240_000,
  );

  it.each(WAYS_DOWN)(
    '%s while requests are under way, with rings on %s: no event is lost, and no result that was on disk',
    async (how, broker) => {
      const lab = await openLab({ lanes: 4, timeoutSeconds: 20, broker });
      const worker = await lab.startWorker();
      // Good answers of each: an endpoint gets one more place for each of them.
      await lab.emit(48);
      await lab.settle();
      lab.receiver.behave('hold');
      await lab.emit(40);
      await eventually(() => expect(lab.receiver.heldCount).toBe(40));
      const { postgres } = lab.servers;
      await postgres.assertIsMine();
      await (how === 'restarts' ? postgres.stop() : postgres.kill());
      // The receiver answers while there is no database to write it to.
      lab.receiver.release();
      lab.receiver.behave(200);
      await eventually(() =>
        expect(lab.receiver.requests.every((seen) => seen.answeredStatus === 200)).toBe(true),
      );
      await postgres.restart();
      await lab.emit(20);
      await lab.settle();
      if (how === 'restarts') {
        expect(await lab.violations()).toEqual([]);
        expect(lab.receiver.requests).toHaveLength(48 + 60);
      } else {
        // Claims and results need not be on disk: what the crash took with it is attempted again, once, and nothing is lost.
        const others = (await lab.violations()).filter((line) => !/was sent (2 times|again)/.test(line));
        expect(others).toEqual([]);
        expect(await lab.counts()).toEqual({ DELIVERED: 48 + 60 });
        expect(lab.receiver.requests.length).toBeLessThanOrEqual(48 + 2 * 60);
      }
      expect(worker.running).toBe(true);
    },
    240_000,
  );

  /*
   * Longer than any lease holds without a sign of life (4.5 s). Red when results are given up after some seconds
   * (until-written.ts), and when whoever comes back first takes what the others have under way (beat and sweep in
   * typeorm-delivery-lanes.ts).
   */
  it('is away for 10 s while two workers have results to write: nothing is sent twice', async () => {
    const lab = await openLab({ lanes: 4, timeoutSeconds: 30 });
    const workers = await lab.startWorkers(2);
    await lab.emit(48);
    await lab.settle();
    lab.receiver.behave('hold');
    await lab.emit(24);
    await eventually(() => expect(lab.receiver.heldCount).toBe(24));
    const { postgres } = lab.servers;
    await postgres.assertIsMine();
    await postgres.stop();
    const backAtMs = performance.now() + 10_000;
    lab.receiver.release();
    lab.receiver.behave(200);
    await eventually(() => expect(performance.now()).toBeGreaterThan(backAtMs), { intervalMs: 100 });
    await postgres.restart();
    await lab.settle();
    expect(await lab.violations()).toEqual([]);
    expect(lab.receiver.requests).toHaveLength(48 + 24);
    expect(workers.map(({ running }) => running)).toEqual([true, true]);
  }, 240_000);
});
