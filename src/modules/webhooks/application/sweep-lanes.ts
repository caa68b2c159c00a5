import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import { DrainLane } from './drain-lane.js';
import { DeliverySettings } from './delivery-settings.js';
import { ENGINE_LIMITS } from './engine-limits.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { LaneDispatcher } from './ports/lane-dispatcher.js';

/** Gives expired leases back and rings every lane with something due: enough for correctness on its own. */
@Injectable()
export class SweepLanes {
  constructor(
    private readonly lanes: DeliveryLanes,
    private readonly drain: DrainLane,
    private readonly dispatcher: LaneDispatcher,
    private readonly settings: DeliverySettings,
    private readonly logger: AppLogger,
  ) {}

  async execute(): Promise<void> {
    const { reclaimed, dueLanes } = await this.lanes.sweep(
      this.settings.maxRetries,
      ENGINE_LIMITS.sweepLanes,
    );
    if (reclaimed > 0) {
      this.logger.warn(`Gave back ${reclaimed} deliveries whose worker stopped before recording a result`);
    }
    // Lanes that this process will go on with anyway: hundreds of endpoints that hang would fill the broker with rings.
    this.dispatcher.ring(dueLanes.filter((lane) => !this.drain.mustWait(lane)));
  }
}
