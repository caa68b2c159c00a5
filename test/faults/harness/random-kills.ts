import { expect } from '@jest/globals';

import { eventually } from '../../support/eventually.js';
import type { OpenLab } from './fault-suite.js';
import type { FaultLab } from './lab.js';
import { SeededRandom } from './random.js';
import { chosenSeed, sayHowToRepeat, size } from './settings.js';
import type { Worker } from './worker.js';

export const KILLS = size(2, 20);
export const IN_FLIGHT = size(100, 500);
const LANES = size(8, 40);
const EACH = size(14, 18);
/** Nothing here is about budgets: an answer that crosses the end of one is sent for again. */
const BUDGET_SECONDS = 240;

/**
 * Until a worker has as much under way as is asked for. An endpoint may have one request more for each prompt answer that this worker
 * got, and the places of the worker before it come free when its leases end. On a busy machine few answers are prompt; then all that
 * is held is answered, and it is tried again.
 */
async function fillsItsPlaces(lab: FaultLab, worker: Worker): Promise<void> {
  const answered = (): number =>
    lab.receiver.requests.filter(
      (request) => request.worker === worker.name && request.answeredStatus === 200,
    ).length;
  for (let tries = 1; ; tries += 1) {
    lab.receiver.behave(200);
    const wanted = answered() + LANES * EACH;
    await lab.emit(LANES * EACH);
    await eventually(
      () => {
        lab.receiver.release(200);
        expect(answered()).toBeGreaterThanOrEqual(wanted);
      },
      { timeoutMs: 90_000 },
    );
    lab.receiver.behave('hold');
    await lab.emit(LANES * EACH, { concurrency: 16 });
    let held = { count: 0, sinceMs: performance.now() };
    await eventually(
      () => {
        const count = lab.receiver.heldCount;
        if (count !== held.count) held = { count, sinceMs: performance.now() };
        if (count < IN_FLIGHT) expect(performance.now() - held.sinceMs).toBeGreaterThan(5_000);
      },
      { timeoutMs: 90_000 },
    );
    if (held.count >= IN_FLIGHT) return;
    if (tries === 5) throw new Error(`${held.count} requests are under way, and no more come`);
  }
}

// Invariants 1 to 3 at scale; red without RECLAIM (sweep-deliveries.ts).
export async function isKilledAtRandom(openLab: OpenLab): Promise<void> {
  const seed = chosenSeed();
  sayHowToRepeat(seed);
  const random = new SeededRandom(seed);
  // Every kill costs what was under way an attempt, and the number of attempts is not what is tested here.
  const lab = await openLab({
    lanes: LANES,
    tenants: 8,
    timeoutSeconds: BUDGET_SECONDS,
    maxRetries: 20,
  });
  for (let kill = 0; kill < KILLS; kill += 1) {
    const worker = await lab.startWorker();
    await fillsItsPlaces(lab, worker);
    // Some are killed while all are open, some when a part of the answers is on its way into the database.
    const answered = random.pick([0, 0.5, 1]);
    for (let lane = 0; lane < LANES * answered; lane += 1) lab.receiver.release(200, lane);
    const killAtMs = performance.now() + random.whole(0, 30);
    await eventually(() => expect(performance.now()).toBeGreaterThan(killAtMs), { intervalMs: 1 });
    await worker.kill();
  }
  lab.receiver.behave(200);
  await lab.startWorkers(2);
  await lab.settle();
  expect({ seed, violations: await lab.violations() }).toEqual({ seed, violations: [] });
  expect({ seed, counts: await lab.counts() }).toEqual({
    seed,
    counts: { DELIVERED: lab.countOf('committed') },
  });
}
