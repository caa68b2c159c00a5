import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import type { Lane } from '../../domain/lane.js';
import type { LaneConsumer } from './lane-consumer.js';
import type { DrainTurn } from './lane-scheduler.js';
import { LocalTurns } from './local-turns.js';
import { PostgresBroker, type TurnTaker } from './postgres-broker.js';

/** Takes rings from BullMQ on PostgreSQL and gives the lanes their turns. */
@Injectable()
export class PostgresLaneConsumer implements LaneConsumer {
  private drain: DrainTurn | null = null;
  readonly worker: TurnTaker;

  constructor(
    broker: PostgresBroker,
    private readonly local: LocalTurns,
    private readonly logger: AppLogger,
  ) {
    this.worker = broker.worker(
      async (lane) => this.take(lane),
      (lane, cause) => {
        this.logger.error('A lane could not be drained; the sweep will ring it again', {
          subscriptionId: lane?.subscriptionId,
          cause,
        });
      },
      (cause) => {
        this.logger.debug('BullMQ worker', { reason: cause.message });
      },
    );
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

  private async take({ tenantId, subscriptionId }: Lane): Promise<void> {
    if (this.drain === null) throw new Error('The lane consumer was not started');
    // A ring during the turn is kept by BullMQ and becomes the lane's next turn, at the end of the line.
    await this.drain({ tenantId, subscriptionId });
  }
}
