import { describe, expect, it } from '@jest/globals';

import { FakeClock } from '../testing/fake-clock.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import { EndHolds } from './end-holds.js';
import { HeldDeliveries, type HeldCounts } from './ports/held-deliveries.js';

/** Has some that were held for too long. */
class FakeHeldDeliveries extends HeldDeliveries {
  readonly calls: unknown[][] = [];

  constructor(private left: number | null) {
    super();
  }

  override async end(...call: [days: number, lastError: string, limit: number]): Promise<number | null> {
    this.calls.push(call);
    if (this.left === null) return Promise.resolve(null);
    const ended = Math.min(this.left, call[2]);
    this.left -= ended;
    return Promise.resolve(ended);
  }

  override async count(): Promise<HeldCounts> {
    return Promise.reject(new Error('nobody counts here'));
  }
}

describe('EndHolds', () => {
  const logger = new RecordingLogger();
  const run = async (
    held: FakeHeldDeliveries,
    { maxHoldDays = 30, stopAfter = Infinity } = {},
  ): Promise<{ ended: number; rests: number }> => {
    let rests = 0;
    const pace = {
      isStopped: () => rests >= stopAfter,
      rest: async () => Promise.resolve((rests += 1)).then(() => undefined),
    };
    const ended = await new EndHolds(held, { maxHoldDays }, new FakeClock(), logger).execute(pace);
    return { ended, rests };
  };

  it('ends what was held for too long, batch by batch with rests between', async () => {
    const held = new FakeHeldDeliveries(2_500);
    expect(await run(held)).toEqual({ ended: 2_500, rests: 3 });
    expect(held.calls[0]).toEqual([30, 'Held too long', 1_000]);
    expect(logger.lines.at(-1)).toMatchObject({
      message: '2500 deliveries were held for more than 30 days and ended',
    });
  });

  it('leaves off when it is told to, or another process is at it', async () => {
    expect(await run(new FakeHeldDeliveries(2_500), { stopAfter: 1 })).toEqual({ ended: 1_000, rests: 1 });
    expect(await run(new FakeHeldDeliveries(null))).toEqual({ ended: 0, rests: 0 });
  });

  it('does nothing where holds have no end', async () => {
    const held = new FakeHeldDeliveries(5);
    expect(await run(held, { maxHoldDays: 0 })).toEqual({ ended: 0, rests: 0 });
    expect(held.calls).toEqual([]);
  });
});
