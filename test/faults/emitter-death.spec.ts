import { expect } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults, itTogether, type OpenLab } from './harness/fault-suite.js';
import { size } from './harness/settings.js';

// Invariant 1; red without the sweep's search for lanes with something due (DUE_LANES in sweep-deliveries.ts).
async function diesBetweenCommitAndRing(openLab: OpenLab): Promise<void> {
  const lab = await openLab();
  await lab.startWorker();
  const emitter = await lab.startEmitter();
  await emitter.dieAfterCommit();
  await expect(lab.emit(1, { emitter })).rejects.toThrow('The emitter ended');
  expect(await emitter.ended).toBe('SIGKILL');
  // It committed before it died, and told nobody.
  expect(lab.countOf('unknown')).toBe(1);
  expect(await lab.deliveries()).toHaveLength(1);
  await lab.settle();
  expect(await lab.counts()).toEqual({ DELIVERED: 1 });
  expect(await lab.violations()).toEqual([]);
}

// Invariant 1, first half; red when emit writes through another connection than its caller's transaction.
async function rollsBack(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 2 });
  await lab.startWorker();
  await lab.emit(40, { rollBackEvery: 2 });
  await lab.settle();
  expect(lab.countOf('rolled_back')).toBe(20);
  expect(lab.receiver.requests).toHaveLength(20);
  expect(await lab.query('SELECT id FROM webhook_events')).toHaveLength(20);
  expect(await lab.violations()).toEqual([]);
}

async function diesInTheMiddle(openLab: OpenLab): Promise<void> {
  const lab = await openLab({ lanes: 4, tenants: 2 });
  await lab.startWorker();
  for (let round = 0; round < size(2, 10); round += 1) {
    const emitter = await lab.startEmitter();
    const before = lab.countOf('committed');
    const emitting = lab.emit(5_000, { emitter, concurrency: 20, rollBackEvery: 7 });
    const ended = expect(emitting).rejects.toThrow('The emitter ended');
    await eventually(() => expect(lab.countOf('committed') - before).toBeGreaterThan(50));
    await emitter.kill();
    await ended;
  }
  await lab.settle();
  expect(await lab.violations()).toEqual([]);
}

describeFaults('a process that emits and dies', (openLab) => {
  itTogether(
    [
      {
        title: 'between commit and ring: what it committed is delivered',
        run: () => diesBetweenCommitAndRing(openLab),
      },
      { title: 'or rolls back: neither row nor request', run: () => rollsBack(openLab) },
      {
        title: 'in the middle of many transactions: each is whole or not there',
        run: () => diesInTheMiddle(openLab),
      },
    ],
    240_000,
  );
});
