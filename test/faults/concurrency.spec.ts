import { expect } from '@jest/globals';

import { ENGINE_LIMITS } from '../../src/modules/webhooks/application/engine-limits.js';
import { eventually } from '../support/eventually.js';
import { describeFaults, itTogether, type OpenLab } from './harness/fault-suite.js';

const { perEndpoint: PER_ENDPOINT } = ENGINE_LIMITS;

/** Far beyond the boot of the workers on a busy machine: a request that ended by its budget would be sent again. */
const PATIENCE_SECONDS = 60;

// Red when webhook_claim does not count what others have SENDING: each process has its own idea of the endpoint.
async function sharesAnEndpoint(openLab: OpenLab): Promise<void> {
  // Without a broker every worker tries the lane at each of its sweeps.
  const lab = await openLab({ timeoutSeconds: PATIENCE_SECONDS, broker: null });
  const workers = await lab.startWorkers(3);
  // Each of them has seen good answers: before that, one request is all that a process lets an endpoint have.
  await eventually(
    async () => {
      await lab.emit(PER_ENDPOINT * 2);
      for (const { name } of workers) expect(lab.receiver.mostOpenOf(`worker:${name}`)).toBeGreaterThan(0);
    },
    { timeoutMs: 90_000, intervalMs: 200 },
  );
  await lab.settle();
  const before = lab.receiver.requests.length;
  lab.receiver.behave('hold');
  await lab.emit(PER_ENDPOINT * 3);
  await eventually(() => expect(lab.receiver.heldCount).toBe(PER_ENDPOINT));
  // Long enough for a turn to end and for sweeps to ring the lane for the others.
  const [until] = await lab.query<{ at: Date }>(`SELECT now() + interval '4 seconds' AS at`);
  await eventually(
    async () => {
      const [clock] = await lab.query<{ passed: boolean }>('SELECT now() > $1 AS passed', [until?.at]);
      expect(clock?.passed).toBe(true);
    },
    { timeoutMs: 10_000, intervalMs: 100 },
  );
  lab.receiver.behave(200);
  lab.receiver.release();
  await lab.settle();
  expect(lab.receiver.mostOpenOf('lane:0')).toBe(PER_ENDPOINT);
  expect(await lab.violations()).toEqual([]);
  expect(lab.receiver.requests).toHaveLength(before + PER_ENDPOINT * 3);
}

// Red when a lane is claimed for again only when half of its places, or all that is under way, came free (drain-lane.ts).
async function fillsAsItComes(openLab: OpenLab): Promise<void> {
  // More than half of the places that the endpoint has by then.
  const events = PER_ENDPOINT * 0.625;
  const lab = await openLab({ timeoutSeconds: PATIENCE_SECONDS });
  await lab.startWorker();
  // One good answer after the other, each of which gives the endpoint one more place.
  for (let round = 0; round < 3; round += 1) {
    await lab.emit(events);
    await lab.settle();
  }
  lab.receiver.behave('hold');
  for (let event = 0; event < events; event += 1) {
    const nextAtMs = performance.now() + 40;
    await lab.emit(1);
    await eventually(() => expect(performance.now()).toBeGreaterThan(nextAtMs), { intervalMs: 5 });
  }
  // None is answered before all are there: each that waited for another one would wait for ever.
  await eventually(() => expect(lab.receiver.heldCount).toBe(events), {
    timeoutMs: (PATIENCE_SECONDS * 1_000) / 2,
  });
  lab.receiver.behave(200);
  lab.receiver.release();
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  expect(lab.receiver.requests).toHaveLength(events * 4);
}

/*
 * Invariant 6; the bound of a process is shown in drain-simulation.spec.ts. Fairness between endpoints (invariant 5) has a
 * suite of its own, fairness.spec.ts.
 */
describeFaults('requests under way', (openLab) => {
  itTogether(
    [
      {
        title: 'are bounded for an endpoint over all workers, and never overshoot',
        run: () => sharesAnEndpoint(openLab),
      },
      {
        title:
          'are as many as there is room for: what comes while an endpoint takes long does not wait for it',
        run: () => fillsAsItComes(openLab),
      },
    ],
    240_000,
  );
});
