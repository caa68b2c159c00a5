import { Injectable } from '@nestjs/common';
import {
  DataSource,
  type EntitySubscriberInterface,
  type TransactionCommitEvent,
  type TransactionRollbackEvent,
} from 'typeorm';

import { LaneDispatcher } from '../../application/ports/lane-dispatcher.js';
import { takeLanes } from './lanes-of-transaction.js';

/** Rings the lanes of a transaction once it has committed, whoever opened it. */
@Injectable()
export class RingAfterCommitSubscriber implements EntitySubscriberInterface {
  constructor(
    dataSource: DataSource,
    private readonly dispatcher: LaneDispatcher,
  ) {
    dataSource.subscribers.push(this);
  }

  afterTransactionCommit(event: TransactionCommitEvent): void {
    // A released savepoint also lands here: the rows are not visible yet, and may still be rolled back.
    if (event.queryRunner.isTransactionActive) return;
    const lanes = takeLanes(event.queryRunner);
    if (lanes.length > 0) this.dispatcher.ring(lanes);
  }

  afterTransactionRollback(event: TransactionRollbackEvent): void {
    // After a rolled-back savepoint the outer transaction goes on: a ring for nothing is harmless, a lost one is not.
    if (!event.queryRunner.isTransactionActive) takeLanes(event.queryRunner);
  }
}
