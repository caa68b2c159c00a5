import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import type { Job } from 'bullmq';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { BrokerTurns } from './broker-turns.js';
import type { LaneConsumer } from './lane-consumer.js';
import { LANE_QUEUE, TURN_OPTIONS, type LaneJob } from './lane-queue.js';
import type { DrainTurn } from './lane-scheduler.js';
import { LocalTurns } from './local-turns.js';

/** Takes rings from BullMQ on Redis and gives the lanes their turns. */
@Processor(LANE_QUEUE, TURN_OPTIONS)
export class BullmqLaneConsumer extends WorkerHost implements LaneConsumer {
  constructor(
    private readonly turns: BrokerTurns,
    private readonly local: LocalTurns,
    private readonly logger: AppLogger,
  ) {
    super();
  }

  override async process(job: Job<LaneJob>): Promise<void> {
    await this.turns.take(job.data);
  }

  start(drain: DrainTurn): void {
    this.turns.start(drain);
    this.local.start(drain);
    this.worker.run().catch((cause: unknown) => {
      this.logger.error('The lane consumer stopped', { cause });
    });
  }

  async stopConsuming(): Promise<void> {
    this.turns.stop();
    this.local.stop();
    await this.worker.pause(true);
  }

  async close(): Promise<void> {
    await this.worker.close(true);
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<LaneJob> | undefined, cause: Error): void {
    this.turns.failed(job?.data, cause);
  }

  @OnWorkerEvent('error')
  onError(cause: Error): void {
    this.logger.debug('BullMQ worker', { reason: cause.message });
  }
}
