import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { RepeatedWork } from '../../../../platform/kernel/repeated-work.js';
import { DeliveryStream } from '../../application/delivery-stream.js';

/** Milliseconds between two looks: a person is watching. */
const INTERVAL_MS = 500;

/** Lets the streams of a process look, and ends them before its way in is closed: they would never end by themselves. */
@Injectable()
export class StreamSchedule implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly work: RepeatedWork;

  constructor(
    private readonly stream: DeliveryStream,
    logger: AppLogger,
  ) {
    this.work = new RepeatedWork(
      async () => {
        await stream.poll();
        return INTERVAL_MS;
      },
      { logger, failed: 'Streams are not told of changes; it is tried again', retryMs: INTERVAL_MS },
    );
  }

  onApplicationBootstrap(): void {
    this.work.schedule(INTERVAL_MS);
  }

  async onModuleDestroy(): Promise<void> {
    this.stream.stop();
    await this.work.stop();
  }
}
