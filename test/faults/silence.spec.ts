import { afterEach, beforeEach, expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { CutOffNetwork } from './harness/cut-off-network.js';
import { describeFaults } from './harness/fault-suite.js';
import type { FaultLab } from './harness/lab.js';
import { size } from './harness/settings.js';

/** Longer than a lease holds without a sign of life (4.5 s), and than a beat that is tried again. */
const SILENCE_MS = size(12_000, 45_000);

/** What comes back after a silence: TCP sends again after at most as long as it was silent. */
const BACK_WITHIN_MS = SILENCE_MS + 60_000;

/** Whether this machine lets this user make network namespaces: not outside of Linux, nor without the right to. */
const isPossible = await CutOffNetwork.make().then(
  async (network) => {
    await network.dispose();
    return true;
  },
  () => false,
);
const itWithNetworks = isPossible ? it : it.skip;

async function passed(sinceMs: number, ms: number): Promise<void> {
  await eventually(() => expect(performance.now() - sinceMs).toBeGreaterThan(ms), {
    timeoutMs: ms + 10_000,
    intervalMs: 50,
  });
}

describeFaults('silence: packets that are dropped, not refused', (openLab) => {
  let network: CutOffNetwork;

  beforeEach(async () => {
    if (isPossible) network = await CutOffNetwork.make();
  });
  // The suite's own clean-up, which ends the workers inside, comes after: a namespace lives as long as they do.
  afterEach(async () => {
    if (isPossible) await network.dispose();
  });

  // Red when leases end with their time alone, and when a statement without an answer is awaited for ever.
  itWithNetworks(
    'cuts a worker off from PostgreSQL and Redis for longer than a lease: another one takes over, and it comes back by itself',
    async () => {
      const lab: FaultLab = await openLab({ lanes: 3, timeoutSeconds: 60, network });
      lab.receiver.behave('hold');
      const cutOff = await lab.startWorker({ network });
      await lab.emit(3);
      await eventually(() => expect(lab.receiver.heldCount).toBe(3));
      const other = await lab.startWorker();

      const silentSinceMs = performance.now();
      const fromMs = Date.now();
      await network.silence();
      lab.receiver.behave(200);
      await eventually(async () => expect(await lab.counts()).toEqual({ DELIVERED: 3 }), {
        timeoutMs: 60_000,
      });
      expect(lab.receiver.requests.filter(({ worker }) => worker === other.name)).toHaveLength(3);
      // Its answers come while it can write them nowhere.
      lab.receiver.release(200);
      await passed(silentSinceMs, SILENCE_MS);
      await network.speak();
      lab.incidents.push({ worker: cutOff.name, fromMs, toMs: Date.now() });

      // It works again, though nobody restarted it.
      await eventually(
        async () => {
          await lab.emit(3);
          const names = lab.receiver.requests.slice(6).map(({ worker }) => worker);
          expect(names).toContain(cutOff.name);
        },
        { timeoutMs: BACK_WITHIN_MS, intervalMs: 200 },
      );
      await lab.settle();
      expect(await lab.violations()).toEqual([]);
      expect(cutOff.running).toBe(true);
    },
    300_000,
  );
});
