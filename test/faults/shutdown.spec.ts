import { expect } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults, itTogether, type OpenLab } from './harness/fault-suite.js';
import { size } from './harness/settings.js';

/*
 * Invariant 7; red when beforeApplicationShutdown (delivery-engine.ts) does not wait for `drain.stop()`. The exit code
 * is the bound in time: after WEBHOOK_TIMEOUT_SECONDS + 2 s the server ends itself, with 1.
 */
async function endsWithRequestsUnderWay(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 5, timeoutSeconds: 10 });
  const hanging = 4;
  const first = await lab.startWorker({ env: { LOG_LEVEL: 'info' } });
  // 13 good answers of each, after which an endpoint may have 16 requests: four after the first, and one more for each other.
  await lab.emit(65);
  await lab.settle();
  lab.receiver.behave('hold');
  lab.receiver.behaveOn(hanging, 'hang');
  await lab.emit(200);
  // 16 of each lane are under way, and 24 of each wait.
  await eventually(() => expect(lab.receiver.requests).toHaveLength(145));
  const stopping = first.stop();
  await first.server.waitForLog((line) => line.msg === 'Stopping deliveries: 80 under way');
  lab.receiver.release();
  expect(await stopping).toBe(0);

  expect(lab.receiver.requests).toHaveLength(145);
  const counts = await lab.counts();
  expect(counts).toEqual({ DELIVERED: 129, PENDING: 136 });

  lab.receiver.behave(200);
  lab.receiver.behaveOn(hanging, 200);
  await lab.startWorker();
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  expect(await lab.counts()).toEqual({ DELIVERED: 265 });
  // Each once, and the 16 that hung a second time.
  expect(lab.receiver.requests).toHaveLength(281);
}

async function endsUnderLoad(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 8, tenants: 2 });
  await lab.startWorker();
  const rounds = size(2, 6);
  for (let round = 0; round < rounds; round += 1) {
    const [worker] = lab.workers.slice(-1);
    const seen = lab.receiver.requests.length;
    const emitting = lab.emit(400, { concurrency: 16 });
    await eventually(() => expect(lab.receiver.requests.length).toBeGreaterThan(seen + 100));
    expect(await worker?.stop()).toBe(0);
    await lab.startWorker();
    await emitting;
  }
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
  expect(lab.receiver.requests).toHaveLength(rounds * 400);
  expect((await lab.deliveries()).filter((delivery) => delivery.attempts !== 1)).toEqual([]);
}

describeFaults('SIGTERM', (openLab) => {
  itTogether(
    [
      {
        title: 'ends a worker with requests under way: they are finished and recorded, nothing else is begun',
        run: () => endsWithRequestsUnderWay(openLab),
      },
      {
        title: 'under full load, again and again: nothing is lost, nothing is sent twice',
        run: () => endsUnderLoad(openLab),
      },
    ],
    240_000,
  );
});
