import { Injectable } from '@nestjs/common';
import {
  DataSource,
  type EntitySubscriberInterface,
  type TransactionCommitEvent,
  type TransactionRollbackEvent,
} from 'typeorm';

import { DeliveryMetrics } from '../../application/ports/delivery-metrics.js';
import { LaneDispatcher } from '../../application/ports/lane-dispatcher.js';
import { takeEmitted } from './emitted-in-transaction.js';

/** Rings the lanes and counts the events of a transaction once it has committed, whoever opened it. */
@Injectable()
export class RingAfterCommitSubscriber implements EntitySubscriberInterface {
  constructor(
    dataSource: DataSource,
    private readonly dispatcher: LaneDispatcher,
    private readonly metrics: DeliveryMetrics,
  ) {
    dataSource.subscribers.push(this);
  }

  afterTransactionCommit(event: TransactionCommitEvent): void {
    // A released savepoint also lands here: the rows are not visible yet, and may still be rolled back.
    if (event.queryRunner.isTransactionActive) return;
    const { events, lanes } = takeEmitted(event.queryRunner);
    for (const name of events) this.metrics.emitted(name);
    if (lanes.length > 0) this.dispatcher.ring(lanes);
  }

  afterTransactionRollback(event: TransactionRollbackEvent): void {
    // After a rolled-back savepoint the outer transaction goes on: a ring for nothing is harmless, a lost one is not.
    if (!event.queryRunner.isTransactionActive) takeEmitted(event.queryRunner);
  }
}
