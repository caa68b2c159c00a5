import { expect, it } from '@jest/globals';

import { ENGINE_LIMITS } from '../../src/modules/webhooks/application/engine-limits.js';
import { eventually } from '../support/eventually.js';
import { describeFaults, type OpenLab } from './harness/fault-suite.js';
import type { FaultLab } from './harness/lab.js';
import { size } from './harness/settings.js';

/** More endpoints than there are slots for them, in all and in each account. */
const HANGING = 300;
const TENANTS = 30;

/** Far beyond what the others may take on any machine: whoever waits for a hanging request waits for so long. */
const BUDGET_SECONDS = 20;

/** Lanes 0 … 299 hang, on the same origins; the lane behind them does not, and its tenant has hanging ones as well. */
const HEALTHY = HANGING;

const { slots } = ENGINE_LIMITS;

async function amongHanging(openLab: OpenLab, broker: 'redis' | null): Promise<FaultLab> {
  const lab = await openLab({
    lanes: HANGING + 1,
    tenants: TENANTS,
    timeoutSeconds: BUDGET_SECONDS,
    broker,
  });
  lab.receiver.behave(({ request }) => (request.lane === HEALTHY ? 200 : 'hold'));
  const hanging = Array.from({ length: HANGING }, (_, lane) => lane);
  await lab.emit(size(600, 10_000), { lanes: hanging, concurrency: 16 });
  await lab.startWorker();
  // As bad as it gets: every hanging endpoint has what it may have.
  let held = { count: 0, sinceMs: performance.now() };
  await eventually(
    () => {
      const count = lab.receiver.heldCount;
      if (count !== held.count) held = { count, sinceMs: performance.now() };
      expect(count).toBeGreaterThanOrEqual(Math.min(HANGING, slots.hanging.total));
      expect(performance.now() - held.sinceMs).toBeGreaterThan(1_000);
    },
    { timeoutMs: 90_000 },
  );
  return lab;
}

/** Events of the healthy tenant, one after the other. @returns how long each took from its emit to its arrival, sorted */
async function latencies(lab: FaultLab, count: number): Promise<number[]> {
  const measured: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const arrived = (): number => lab.receiver.requests.filter(({ lane }) => lane === HEALTHY).length;
    const before = arrived();
    const startedAtMs = performance.now();
    await lab.emit(1, { lanes: [HEALTHY] });
    await eventually(
      () => {
        expect(arrived()).toBe(before + 1);
      },
      {
        timeoutMs: BUDGET_SECONDS * 500,
        intervalMs: 2,
        message: 'a healthy endpoint waits for hanging ones',
      },
    );
    measured.push(performance.now() - startedAtMs);
  }
  return measured.sort((a, b) => a - b);
}

/*
 * Invariant 5. The figure is the benchmark's (npm run bench); here, nobody may wait for a hanging request. Red when
 * AttemptSlots.move keeps long attempts in the fast account (attempt-slots.ts), and when a turn waits for a slot
 * (drain-lane.ts).
 */
describeFaults('fairness', (openLab) => {
  it.each([
    ['with a broker', 'redis' as const],
    ['without one', null],
  ])(
    `among ${HANGING} hanging endpoints of ${TENANTS} tenants, a healthy one gets its events, %s`,
    async (_, broker) => {
      const lab = await amongHanging(openLab, broker);
      const sorted = await latencies(lab, size(20, 100));
      const at = (share: number): string => (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(0);
      process.stderr.write(
        `\nfairness: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${lab.receiver.heldCount} held\n`,
      );
      expect(lab.receiver.heldCount).toBeLessThanOrEqual(
        slots.slow.total +
          slots.slow.reserve +
          slots.hanging.total +
          slots.hanging.reserve +
          slots.fast.total,
      );
      lab.receiver.behave(200);
      await eventually(
        async () => {
          lab.receiver.release();
          const { PENDING = 0, SENDING = 0 } = await lab.counts();
          expect(PENDING + SENDING).toBe(0);
        },
        { timeoutMs: size(90_000, 300_000), intervalMs: 100 },
      );
      expect(await lab.violations()).toEqual([]);
    },
    size(240_000, 600_000),
  );

  /*
   * Places are kept for first attempts. Red when retries may take every place (DrainLane.retryPlacesOf): they have been
   * due for longer.
   */
  it('lets new events pass an endpoint’s old retries', async () => {
    const lab = await openLab({ timeoutSeconds: BUDGET_SECONDS, maxRetries: 5 });
    const worker = await lab.startWorker();
    const old = ENGINE_LIMITS.perEndpoint * 4;
    lab.receiver.behave(500);
    await lab.emit(old);
    await eventually(async () => {
      const [row] = await lab.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM webhook_deliveries WHERE is_retry AND status = 'PENDING'`,
      );
      expect(row?.count).toBe(old);
    });
    // From now on it hangs for what it has seen before, and answers what is new.
    const seen = new Set(lab.receiver.requests.map(({ webhookId }) => webhookId));
    lab.receiver.behave(({ request }) => (seen.has(request.webhookId) ? 'hold' : 200));
    // It has failed so often that it has one place for retries by now.
    await eventually(() => {
      expect(lab.receiver.heldCount).toBe(1);
    });
    await lab.emit(20);
    await eventually(async () => {
      expect((await lab.counts())['DELIVERED']).toBe(20);
    });
    expect(worker.awake).toBe(true);
  }, 240_000);
});
