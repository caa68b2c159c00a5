import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { SimulatedWorkers } from '../testing/simulated-workers.js';
import { ENGINE_LIMITS } from './engine-limits.js';

/** Milliseconds from which on a delivery would be found by the sweep: nothing that flows waits so long. */
const SWEPT_MS = 250;

/** The engine of whole processes in virtual time, without a sweep: what a lost ring leaves behind is never sent. */
describe('turns of several processes', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  /** Moves the time until nothing is open any more. @returns milliseconds */
  async function drained(workers: SimulatedWorkers, mostMs: number): Promise<number> {
    let passedMs = 0;
    for (; workers.open > 0 && passedMs < mostMs; passedMs += 10) await jest.advanceTimersByTimeAsync(10);
    return passedMs;
  }

  function longestPauseMs({ requests }: SimulatedWorkers): number {
    return Math.max(0, ...requests.slice(1).map(({ atMs }, n) => atMs - (requests[n]?.atMs ?? atMs)));
  }

  const SURROUNDINGS = [
    ['one process', { processes: 1 }],
    ['two processes and a broker', { processes: 2 }],
    ['two processes without a broker', { processes: 2, isBrokered: false }],
  ] as const;

  it.each(SURROUNDINGS)('drain 2,000 deliveries of one lane without a pause: %s', async (_name, here) => {
    const workers = new SimulatedWorkers({ ...here, answerMs: () => 1 });
    await workers.subscribe('acme', 'busy');
    await workers.emit('acme', 'busy', 1_000);
    await workers.emit('acme', 'busy', 1_000);
    await drained(workers, 10_000);
    expect(workers.open).toBe(0);
    expect(workers.requests).toHaveLength(2_000);
    expect(longestPauseMs(workers)).toBeLessThan(40);
  });

  // Red without a broker when a turn that meets another process's is read as "nothing due" and a settlement does not tell.
  it.each(SURROUNDINGS)('let no delivery wait for the sweep, whenever it comes: %s', async (_name, here) => {
    const workers = new SimulatedWorkers({ ...here, answerMs: () => 1 });
    await workers.subscribe('acme', 'thing');
    let count = 0;
    for (let round = 0; round < 400; round += 1) {
      // Into a lane that is idle, while a turn is under way, while requests are; then nothing that would ring in their place.
      for (const afterMs of [0, round % 9, (round * 7) % 5]) {
        await jest.advanceTimersByTimeAsync(afterMs);
        await workers.emit('acme', 'thing', 1 + (round % 3));
        count += 1 + (round % 3);
      }
      await jest.advanceTimersByTimeAsync(SWEPT_MS * 2);
    }
    await drained(workers, 2_000);
    expect(workers.requests).toHaveLength(count);
    expect(workers.requests.filter(({ waitedMs }) => waitedMs >= SWEPT_MS)).toEqual([]);
  });

  // Red when a turn that meets something under way is read as over, and nobody looks again.
  it.each(SURROUNDINGS)('keep the order of each key, without a pause: %s', async (_name, here) => {
    const workers = new SimulatedWorkers({ ...here, answerMs: () => 3 });
    await workers.subscribe('acme', 'thing', { ordering: 'fifo' });
    const keys = ['a', 'b', 'c', null];
    for (let round = 0; round < 150; round += 1) {
      await workers.emit('acme', 'thing', 1 + (round % 3), keys[(round * 7) % 4] ?? null);
      await jest.advanceTimersByTimeAsync((round * 5) % 17);
    }
    const count = 300;
    await drained(workers, 20_000);
    expect(workers.requests).toHaveLength(count);
    for (const key of ['a', 'b', 'c', '']) {
      const ofKey = workers.requests.filter(({ orderingKey }) => orderingKey === key);
      expect(ofKey.length).toBeGreaterThan(50);
      const positions = ofKey.map(({ position }) => position ?? 0);
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      const gaps = ofKey.slice(1).map(({ atMs }, n) => atMs - (ofKey[n]?.atMs ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(3);
    }
    expect(longestPauseMs(workers)).toBeLessThan(SWEPT_MS);
  });

  // Red when nobody rings for a batch that closes by its time, or what is under way is thought to do it.
  it.each(SURROUNDINGS)(
    'send every batch when it closes, in the order of each key: %s',
    async (_name, here) => {
      const workers = new SimulatedWorkers({ ...here, answerMs: () => 40 });
      const batch = { maxEvents: 5, maxWaitMs: 300 };
      await workers.subscribe('acme', 'thing', { batch });
      await workers.subscribe('acme', 'ordered', { batch, ordering: 'fifo' });
      const keys = ['a', 'b', null];
      for (let round = 0; round < 120; round += 1) {
        await workers.emit('acme', 'thing', 1 + (round % 7));
        await workers.emit('acme', 'ordered', 1 + (round % 2), keys[(round * 7) % 3] ?? null);
        await jest.advanceTimersByTimeAsync((round * 37) % 211);
      }
      await drained(workers, 20_000);
      const of = (name: string): SimulatedWorkers['requests'] =>
        workers.requests.filter(({ event }) => event === name);
      expect(of('ordered')).toHaveLength(180);
      expect(of('thing').filter(({ waitedMs }) => waitedMs > batch.maxWaitMs + SWEPT_MS)).toEqual([]);
      for (const key of ['a', 'b', '']) {
        const positions = of('ordered').flatMap((one) =>
          one.orderingKey === key ? [one.position ?? 0] : [],
        );
        expect(positions).toEqual([...positions].sort((a, b) => a - b));
      }
      expect(of('ordered').filter(({ waitedMs }) => waitedMs > 2 * (batch.maxWaitMs + SWEPT_MS))).toEqual([]);
    },
  );

  // Red when attempts stay in the account in which they began (`AgeWatch` that never looks): they fill it until they time out.
  it.each([300, 960])('delay nobody for %i endpoints that stop answering', async (endpoints) => {
    let areHanging = false;
    const answerMs = (url: string): number => (areHanging && url.includes('hangs') ? 60_000 : 5);
    const workers = new SimulatedWorkers({ processes: 1, answerMs });
    const lanes = Array.from({ length: endpoints }, (_unused, n) => [
      `tenant-${n % (endpoints / 10)}`,
      `hangs-${n}`,
    ]);
    for (const [tenantId = '', name = ''] of lanes) await workers.subscribe(tenantId, name);
    await workers.subscribe('other', 'healthy');
    // All of them have answered before, so that every slot is open to them.
    for (const [tenantId = '', name = ''] of lanes) await workers.emit(tenantId, name);
    await workers.emit('other', 'healthy');
    await drained(workers, 5_000);
    workers.requests.length = 0;
    areHanging = true;
    for (const [tenantId = '', name = ''] of lanes) await workers.emit(tenantId, name, 5);
    for (let passedMs = 0; passedMs < 12_000; passedMs += 120) {
      await workers.emit('other', 'healthy');
      await jest.advanceTimersByTimeAsync(120);
    }
    const healthy = workers.requests.filter(({ event }) => event === 'healthy');
    const waits = healthy.map(({ waitedMs }) => waitedMs).sort((a, b) => a - b);
    expect(waits).toHaveLength(100);
    expect(waits[98]).toBeLessThan(SWEPT_MS);
  });

  // Red when AttemptSlots gives whatever it is asked for, or the share of a tenant in one account alone.
  it.each([1, 2])('hold most of what %i tenants may have under way, and no more', async (tenants) => {
    const { fast, slow, hanging } = ENGINE_LIMITS.slots;
    const shares = [fast, slow, hanging].reduce(
      (sum, { total, perTenant }) => sum + Math.min(total, tenants * perTenant),
      0,
    );
    const perLane = 50;
    let areHanging = false;
    const workers = new SimulatedWorkers({ processes: 1, answerMs: () => (areHanging ? 60_000 : 5) });
    const lanes = Array.from({ length: tenants * 16 }, (_unused, n) => [
      `tenant-${n % tenants}`,
      `hangs-${n}`,
    ]);
    for (const [tenantId = '', name = ''] of lanes) await workers.subscribe(tenantId, name);
    // Each good answer gives an endpoint one more place.
    for (const [tenantId = '', name = ''] of lanes) await workers.emit(tenantId, name, perLane);
    await drained(workers, 5_000);
    expect(workers.open).toBe(0);
    workers.requests.length = 0;
    areHanging = true;
    expect(lanes.length * perLane).toBeGreaterThan(shares + lanes.length);
    for (const [tenantId = '', name = ''] of lanes) await workers.emit(tenantId, name, perLane);
    // Within their time budget none of them ends.
    await jest.advanceTimersByTimeAsync(9_000);
    expect(workers.requests.length).toBeGreaterThan(shares * 0.8);
    // One of a reserve besides, for a lane with nothing under way.
    expect(workers.requests.length).toBeLessThanOrEqual(shares + lanes.length);
  });
});
