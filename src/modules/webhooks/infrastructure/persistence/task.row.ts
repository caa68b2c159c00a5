import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { DeliverySelection, MissingSelection, TaskKind, TaskStatus } from '../../domain/task.js';

@Entity({ name: 'webhook_tasks' })
@Index('webhook_tasks_running_ix', ['updatedAt'], { where: `status = 'RUNNING'` })
@Index('webhook_tasks_idempotency_uq', ['tenantId', 'idempotencyKey'], {
  unique: true,
  where: 'idempotency_key IS NOT NULL',
})
@Check('webhook_tasks_kind_ck', `kind IN ('retry_deliveries', 'replay_missing')`)
@Check('webhook_tasks_status_ck', `status IN ('RUNNING', 'DONE', 'CANCELLED', 'FAILED')`)
export class TaskRow {
  @PrimaryColumn({ name: 'tenant_id', type: 'text', primaryKeyConstraintName: 'webhook_tasks_pk' })
  tenantId!: string;

  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_tasks_pk' })
  id!: string;

  @Column({ type: 'text' })
  kind!: TaskKind;

  @Column({ type: 'jsonb' })
  selection!: DeliverySelection | MissingSelection;

  @Column({ type: 'text', default: 'RUNNING' })
  status!: TaskStatus;

  @Column({ type: 'integer' })
  total!: number;

  @Column({ type: 'integer', default: 0 })
  done!: number;

  /** Rows that matched as well and cannot be sent. */
  @Column({ type: 'integer', default: 0 })
  skipped!: number;

  @Column({ name: 'idempotency_key', type: 'text', nullable: true })
  idempotencyKey!: string | null;

  @Column({ type: 'text', nullable: true })
  fingerprint!: string | null;

  /** The last row that was looked at: the next step starts after it. */
  @Column({ type: 'uuid' })
  position!: string;

  /** The last row that existed when the task was started. */
  @Column({ type: 'uuid' })
  until!: string;

  @Column({ type: 'integer', default: 0 })
  failures!: number;

  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt!: Date | null;
}
