import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';

import {
  TaskRepository,
  type NewTask,
  type TaskCount,
  type TaskPage,
} from '../../application/ports/task-repository.js';
import type { Transaction } from '../../application/ports/transaction.js';
import type { Task, TaskSelection } from '../../domain/task.js';
import { countMissing, filterOf } from './missing-events.js';
import { rowsOf } from './task-selection.js';
import { toTask } from './task.mapper.js';
import { TaskRow } from './task.row.js';
import { managerOf } from './typeorm-transactions.js';

/** Every statement names the transaction's tenant: row-level security is the other line of defence, not the only one. */
@Injectable()
export class TypeormTaskRepository extends TaskRepository {
  override async count(transaction: Transaction, work: TaskSelection): Promise<TaskCount> {
    const { all, canBeSent, parameters, startAfter } = rowsOf(work, transaction.tenantId, 2);
    const manager = managerOf(transaction);
    const rows = await manager.query<TaskCount[]>(
      `SELECT count(*) FILTER (WHERE ${canBeSent})::int AS count, count(*) FILTER (WHERE NOT ${canBeSent})::int AS skipped
         ${all} AND r.id > $1`,
      [startAfter, ...parameters],
    );
    const { count, skipped } = rows[0] ?? { count: 0, skipped: 0 };
    if (work.kind !== 'replay_missing') return { count, skipped };
    const filter = await filterOf(manager, work, transaction.tenantId);
    if (filter === null) return { count, skipped };
    const range = { filter, after: startAfter, count };
    return { count: await countMissing(manager, work, transaction.tenantId, range), skipped };
  }

  override async claimKey(
    transaction: Transaction,
    key: string,
  ): Promise<{ readonly task: Task; readonly fingerprint: string } | null> {
    const { tenantId } = transaction;
    const manager = managerOf(transaction);
    await manager.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('webhooks: task ' || $1 || ' ' || $2, 0))`,
      [tenantId, key],
    );
    const row = await manager.getRepository(TaskRow).findOneBy({ tenantId, idempotencyKey: key });
    return row === null ? null : { task: toTask(row), fingerprint: row.fingerprint ?? '' };
  }

  override async insert(transaction: Transaction, task: NewTask): Promise<Task> {
    const manager = managerOf(transaction);
    const { kind, selection } = task.work;
    const { startAfter } = rowsOf(task.work, task.tenantId, 1);
    await manager.query(
      `INSERT INTO webhook_tasks (tenant_id, id, kind, selection, total, position, until, created_by, skipped, idempotency_key,
                                  fingerprint)
       VALUES ($1, $2, $3, $4, $5, $6, webhook_uuid_v7(), $7, $8, $9, $10)`,
      [
        ...[task.tenantId, task.id, kind, JSON.stringify(selection), task.total, startAfter, task.createdBy],
        ...[task.skipped, task.idempotency?.key ?? null, task.idempotency?.fingerprint ?? null],
      ],
    );
    return toTask(
      await manager.getRepository(TaskRow).findOneByOrFail({ tenantId: task.tenantId, id: task.id }),
    );
  }

  override async find(transaction: Transaction, id: string): Promise<Task | null> {
    const { tenantId } = transaction;
    const row = await managerOf(transaction).getRepository(TaskRow).findOneBy({ tenantId, id });
    return row === null ? null : toTask(row);
  }

  override async list(transaction: Transaction, limit: number, afterId: string | null): Promise<TaskPage> {
    const rows = await managerOf(transaction)
      .getRepository(TaskRow)
      .find({
        where: { tenantId: transaction.tenantId, ...(afterId === null ? {} : { id: LessThan(afterId) }) },
        order: { id: 'DESC' },
        take: limit + 1,
      });
    return { tasks: rows.slice(0, limit).map(toTask), hasMore: rows.length > limit };
  }

  override async cancel(transaction: Transaction, id: string): Promise<boolean> {
    const { affected } = await managerOf(transaction)
      .getRepository(TaskRow)
      .update(
        { tenantId: transaction.tenantId, id, status: 'RUNNING' },
        { status: 'CANCELLED', finishedAt: () => 'now()', updatedAt: () => 'now()' },
      );
    return affected === 1;
  }
}
