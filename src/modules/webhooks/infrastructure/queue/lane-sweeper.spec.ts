import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { eventually } from '../../../../../test/support/eventually.js';
import { SweepLanes } from '../../application/sweep-lanes.js';
import type { DeliveryLanes, SweepResult } from '../../application/ports/delivery-lanes.js';
import { InMemoryDeliveryLanes } from '../../testing/in-memory-delivery-lanes.js';
import { InMemoryWebhooks } from '../../testing/in-memory-webhooks.js';
import { LaneSweeper } from './lane-sweeper.js';

/** The due-list of a database that goes away for the given sweeps (counted from 1). */
class FlakyLanes extends InMemoryDeliveryLanes {
  sweeps = 0;
  atOnce = 0;
  mostAtOnce = 0;
  failing: readonly number[] = [];

  override async sweep(maxRetries: number, laneLimit: number): Promise<SweepResult> {
    this.sweeps += 1;
    const mine = this.sweeps;
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    this.atOnce -= 1;
    if (this.failing.includes(mine)) throw new Error('the database went away');
    return super.sweep(maxRetries, laneLimit);
  }
}

describe('LaneSweeper', () => {
  let webhooks: InMemoryWebhooks;
  let lanes: FlakyLanes;
  let sweeper: LaneSweeper;

  beforeEach(() => {
    webhooks = new InMemoryWebhooks();
    lanes = new FlakyLanes(webhooks.store, webhooks.ids, 15_000);
    const { drain, dispatcher, settings, logger } = webhooks;
    const sweep = new SweepLanes(lanes satisfies DeliveryLanes, drain, dispatcher, settings, logger);
    sweeper = new LaneSweeper(sweep, logger);
  });

  afterEach(async () => {
    await sweeper.stop();
  });

  it('sweeps at once and again every second, one at a time', async () => {
    const lane = await webhooks.subscribe();
    await webhooks.deliver();
    webhooks.dispatcher.rung.length = 0;
    sweeper.start();
    await eventually(() => expect(webhooks.dispatcher.rung).toEqual([lane]));
    await eventually(() => expect(lanes.sweeps).toBeGreaterThanOrEqual(2));
    expect(lanes.mostAtOnce).toBe(1);
  });

  // Red when a failed sweep ends the series, or logs at every try.
  it('goes on while the database is away, and says so once, and once when it is back', async () => {
    lanes.failing = [1, 2];
    sweeper.start();
    await eventually(() => expect(webhooks.logger.messages('info')).toEqual(['The sweep works again']), {
      timeoutMs: 15_000,
    });
    expect(lanes.sweeps).toBeGreaterThanOrEqual(3);
    expect(webhooks.logger.messages('error')).toEqual(['The sweep failed; it is tried again every second']);
  });

  it('ends what it is doing when it is stopped, and does nothing afterwards', async () => {
    sweeper.start();
    await eventually(() => expect(lanes.sweeps).toBe(1));
    await sweeper.stop();
    expect(lanes.atOnce).toBe(0);
    const { sweeps } = lanes;
    sweeper.start();
    await sweeper.stop();
    expect(lanes.sweeps).toBe(sweeps);
  });
});
