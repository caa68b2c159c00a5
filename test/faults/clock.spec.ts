import { expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults } from './harness/fault-suite.js';

const HOUR_MS = 3_600_000;

/** Rows with any time outside of the run, by the database's own clock. */
const TIMES_OUTSIDE = `
SELECT 'delivery' AS row, d.id::text, t.at FROM webhook_deliveries d
 CROSS JOIN LATERAL unnest(ARRAY[d.created_at, d.updated_at, d.next_attempt_at]) AS t (at)
 WHERE t.at NOT BETWEEN $1::timestamptz AND now()
UNION ALL
SELECT 'attempt', a.delivery_id::text, a.started_at FROM webhook_attempts a
 WHERE a.started_at NOT BETWEEN $1::timestamptz AND now()`;

describeFaults('clocks of workers that', (openLab) => {
  // Red when a retry or a lease is computed from the process's clock, e.g. `new Date(Date.now() + delayMs)` in RECORD.
  it('are an hour off, in both directions, and step in the middle: all times are the database’s', async () => {
    const lab = await openLab({ lanes: 4, tenants: 2 });
    lab.receiver.behave(({ seenBefore }) => (seenBefore < 2 ? 503 : 200));
    const [start] = await lab.query<{ now: Date }>('SELECT now()');
    const preload = 'shifted-clock.mjs';
    const workers = [
      await lab.startWorker({ preload, env: { CLOCK_OFFSET_MS: String(HOUR_MS) } }),
      await lab.startWorker({ preload, env: { CLOCK_OFFSET_MS: String(-HOUR_MS) } }),
    ];
    await lab.emit(60);
    await eventually(() => expect(lab.receiver.requests.length).toBeGreaterThan(60));
    for (const worker of workers) worker.signal('SIGUSR2');
    await lab.settle();
    expect(await lab.violations()).toEqual([]);
    expect(await lab.counts()).toEqual({ DELIVERED: 60 });
    expect(await lab.query(TIMES_OUTSIDE, [start?.now])).toEqual([]);

    // Retries after 1 s and 2 s, neither at once nor in an hour (the run would not have come to rest).
    for (const { id } of await lab.deliveries()) {
      const requests = lab.receiver.requests.filter((request) => request.webhookId === id);
      const [first = 0, second = 0, third = 0] = requests.map((request) => request.arrivedAtMs);
      expect(second - first).toBeGreaterThan(900);
      expect(third - second).toBeGreaterThan(1_900);
    }
  }, 240_000);
});
