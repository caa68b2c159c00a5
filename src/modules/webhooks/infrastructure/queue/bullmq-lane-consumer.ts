import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import type { Job } from 'bullmq';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import type { LaneConsumer } from './lane-consumer.js';
import { LANE_QUEUE, TURN_OPTIONS, type LaneJob } from './lane-queue.js';
import type { DrainTurn } from './lane-scheduler.js';
import { LocalTurns } from './local-turns.js';

/** Takes rings from BullMQ on Redis and gives the lanes their turns. */
@Processor(LANE_QUEUE, TURN_OPTIONS)
export class BullmqLaneConsumer extends WorkerHost implements LaneConsumer {
  private drain: DrainTurn | null = null;

  constructor(
    private readonly local: LocalTurns,
    private readonly logger: AppLogger,
  ) {
    super();
  }

  override async process(job: Job<LaneJob>): Promise<void> {
    if (this.drain === null) throw new Error('The lane consumer was not started');
    const { tenantId, subscriptionId } = job.data;
    // A ring during the turn is kept by BullMQ and becomes the lane's next turn, at the end of the line.
    await this.drain({ tenantId, subscriptionId });
  }

  start(drain: DrainTurn): void {
    this.drain = drain;
    this.local.start(drain);
    this.worker.run().catch((cause: unknown) => {
      this.logger.error('The lane consumer stopped', { cause });
    });
  }

  async stopConsuming(): Promise<void> {
    this.local.stop();
    await this.worker.pause(true);
  }

  async close(): Promise<void> {
    await this.worker.close(true);
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<LaneJob> | undefined, cause: Error): void {
    this.logger.error('A lane could not be drained; the sweep will ring it again', {
      subscriptionId: job?.data.subscriptionId,
      cause,
    });
  }

  @OnWorkerEvent('error')
  onError(cause: Error): void {
    this.logger.debug('BullMQ worker', { reason: cause.message });
  }
}
