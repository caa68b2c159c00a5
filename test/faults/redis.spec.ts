import { Redis } from 'ioredis';
import { expect, it } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import { describeFaults } from './harness/fault-suite.js';
import type { FaultLab } from './harness/lab.js';
import { size } from './harness/settings.js';

/** What an emit may take without Redis, in milliseconds; it must not wait for it at all, but the machine is shared. */
const EMIT_WITHOUT_REDIS_MS = 20_000;

async function flushAll(lab: FaultLab): Promise<void> {
  await lab.servers.redis.assertIsMine();
  const client = new Redis(lab.servers.redis.url);
  await client.flushall();
  client.disconnect();
}

describeFaults('a Redis that', (openLab) => {
  it('forgets everything (FLUSHALL) in the middle of drains loses and repeats nothing', async () => {
    const lab = await openLab({ lanes: 8, tenants: 2 });
    lab.receiver.behave(({ request, seenBefore }) =>
      seenBefore === 0 && request.eventNumber % 10 === 0 ? 503 : 200,
    );
    await lab.startWorkers(2);
    for (let round = 1; round <= size(2, 20); round += 1) {
      const emitting = lab.emit(150);
      await eventually(() => expect(lab.receiver.requests.length).toBeGreaterThan(round * 60));
      await flushAll(lab);
      await emitting;
    }
    await lab.settle();
    expect(await lab.violations()).toEqual([]);
    expect(await lab.counts()).toEqual({ DELIVERED: size(2, 20) * 150 });
  }, 240_000);

  // Red when a producer awaits its ring without a bound (BullmqLaneDispatcher.ring: `redis.ready`, ADD_TIMEOUT_MS).
  it('is away does not hold up emits, lets a worker boot, and deliveries flow when it is back, empty', async () => {
    const lab = await openLab({ lanes: 4 });
    await lab.startWorker();
    await lab.emit(20);
    await lab.servers.redis.assertIsMine();
    await lab.servers.redis.stop();
    const stoppedAtMs = performance.now();

    await lab.emit(40);
    expect(performance.now() - stoppedAtMs).toBeLessThan(EMIT_WITHOUT_REDIS_MS);
    await lab.startWorker();
    const awayMs = size(5_000, 30_000);
    await eventually(() => expect(performance.now() - stoppedAtMs).toBeGreaterThan(awayMs), {
      timeoutMs: awayMs + 5_000,
    });
    await lab.servers.redis.restart();
    await lab.settle();
    await lab.emit(20);
    await lab.settle();
    expect(await lab.violations()).toEqual([]);
    expect(await lab.counts()).toEqual({ DELIVERED: 80 });
    expect(lab.receiver.requests).toHaveLength(80);
  }, 240_000);

  it('crashes under load and comes back empty loses and repeats nothing', async () => {
    const lab = await openLab({ lanes: 8, tenants: 2 });
    await lab.startWorkers(2);
    for (let round = 1; round <= size(1, 10); round += 1) {
      const emitting = lab.emit(200);
      await eventually(() => expect(lab.countOf('committed')).toBeGreaterThan(round * 200 - 150));
      await lab.servers.redis.assertIsMine();
      await lab.servers.redis.kill();
      await lab.servers.redis.restart();
      await emitting;
    }
    await lab.settle();
    expect(await lab.violations()).toEqual([]);
    expect(lab.receiver.requests).toHaveLength(size(1, 10) * 200);
  }, 240_000);
});
