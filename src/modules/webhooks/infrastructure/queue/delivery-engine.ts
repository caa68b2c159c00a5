import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { DrainLane } from '../../application/drain-lane.js';
import { DeliveryLanes } from '../../application/ports/delivery-lanes.js';
import { HttpSender } from '../../application/ports/http-sender.js';
import { SweepLanes } from '../../application/sweep-lanes.js';
import { Heartbeat } from './heartbeat.js';
import type { LaneConsumer } from './lane-consumer.js';
import { LaneSweeper } from './lane-sweeper.js';

/** What a process does for deliveries: take turns and sweep, or (an API beside workers) neither. */
export class EngineDuties {
  constructor(
    readonly consumer: LaneConsumer | null,
    /** Lets go of what rings; the last thing before the database closes. */
    readonly closeBroker: () => void | Promise<void>,
  ) {}
}

/** Starts and stops the engine with the application, in the order that loses nothing. */
@Injectable()
export class DeliveryEngine
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  private readonly sweeper: LaneSweeper;
  private readonly heartbeat: Heartbeat;

  constructor(
    private readonly duties: EngineDuties,
    private readonly drain: DrainLane,
    private readonly sender: HttpSender,
    sweep: SweepLanes,
    lanes: DeliveryLanes,
    private readonly logger: AppLogger,
  ) {
    this.heartbeat = new Heartbeat(lanes, logger);
    this.sweeper = new LaneSweeper(sweep, logger);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.duties.consumer === null) return;
    await this.heartbeat.start();
    this.drain.start();
    this.duties.consumer.start((lane) => this.drain.execute(lane));
    this.sweeper.start();
  }

  /** Stop claiming, let what is under way finish and be recorded, then let go of the broker; the database goes last. */
  async beforeApplicationShutdown(): Promise<void> {
    const { consumer } = this.duties;
    if (consumer === null) return;
    this.logger.info(`Stopping deliveries: ${this.drain.inFlight} under way`);
    await Promise.all([this.sweeper.stop(), consumer.stopConsuming(), this.drain.stop()]);
    await this.heartbeat.stop();
    await consumer.close();
    await this.sender.close();
    this.logger.info('Deliveries stopped');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.duties.closeBroker();
  }
}
