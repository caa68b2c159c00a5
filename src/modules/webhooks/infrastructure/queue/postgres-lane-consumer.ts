import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { BrokerTurns } from './broker-turns.js';
import type { LaneConsumer } from './lane-consumer.js';
import type { DrainTurn } from './lane-scheduler.js';
import { LocalTurns } from './local-turns.js';
import { PostgresBroker, type TurnTaker } from './postgres-broker.js';

/** Takes rings from BullMQ on PostgreSQL and gives the lanes their turns. */
@Injectable()
export class PostgresLaneConsumer implements LaneConsumer {
  readonly worker: TurnTaker;

  constructor(
    broker: PostgresBroker,
    private readonly turns: BrokerTurns,
    private readonly local: LocalTurns,
    private readonly logger: AppLogger,
  ) {
    this.worker = broker.worker(
      async (job) => this.turns.take(job),
      (job, cause) => {
        this.turns.failed(job, cause);
      },
      (cause) => {
        this.logger.debug('BullMQ worker', { reason: cause.message });
      },
    );
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
}
