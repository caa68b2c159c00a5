import { afterEach, beforeEach, expect, it } from '@jest/globals';

import { ApiClient, signToken } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { CutOffNetwork } from './harness/cut-off-network.js';
import { describeFaults } from './harness/fault-suite.js';
import type { FaultLab } from './harness/lab.js';
import { IS_FULL, size } from './harness/settings.js';

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

/** A statement may take a minute; then nobody waits for its answer any more. On a machine that is busy. */
const REFUSED_WITHIN_MS = 120_000;

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
    600_000,
  );

  // In the long form alone, as it waits for minutes. Red when nobody bounds the wait for a statement (guarded-client.ts), or the end of one is no outage (database-unavailable.ts).
  if (IS_FULL) {
    itWithNetworks(
      'cuts an API off from PostgreSQL and Redis: it lives, is not ready, refuses with 503, and comes back by itself',
      async () => {
        const lab = await openLab({ lanes: 1, network });
        const { server } = await lab.startWorker({ network, env: { WEBHOOK_ROLE: 'all' } });
        const secret = lab.environment['JWT_SECRET'] ?? '';
        const token = await signToken({ secret, tenantId: lab.tenantOf(0) });
        const api = new ApiClient(server.url, token);
        const send = async (): Promise<number> =>
          (await api.post('/deliveries', { event: 'lab.lane_0', payload: { number: 1 } })).status;
        const probe = async (path: string): Promise<number> => (await api.request('GET', path)).status;
        expect(await send()).toBe(202);
        await eventually(() => expect(lab.receiver.requests).toHaveLength(1));

        await network.silence();
        const silentSinceMs = performance.now();
        const refused = Array.from({ length: 8 }, send);
        await eventually(async () => expect(await probe('/health/ready')).toBe(503), { timeoutMs: 60_000 });
        expect(await probe('/health/live')).toBe(200);
        expect(new Set(await Promise.all(refused))).toEqual(new Set([503]));
        const afterMs = Math.round(performance.now() - silentSinceMs);
        process.stderr.write(`\nsilence: refused after ${afterMs} ms\n`);
        expect(afterMs).toBeLessThan(REFUSED_WITHIN_MS);

        await network.speak();
        await eventually(async () => expect(await send()).toBe(202), { timeoutMs: BACK_WITHIN_MS });
        expect(await probe('/health/ready')).toBe(200);
        // What was refused may have been heard all the same, once each: whoever asks again gives an Idempotency-Key.
        await eventually(async () => expect(Object.keys(await lab.counts())).toEqual(['DELIVERED']), {
          timeoutMs: BACK_WITHIN_MS,
        });
        const { DELIVERED: delivered = 0 } = await lab.counts();
        expect(lab.receiver.requests).toHaveLength(delivered);
        expect(server.running).toBe(true);
      },
      600_000,
    );
  }
});
