import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import {
  RETRYABLE_STATUSES,
  TASK_KINDS,
  TASK_STATUSES,
  type Task,
  type RetryableStatus,
  type TaskKind,
  type TaskStatus,
} from '../domain/task.js';

/** What a task is over: the fields that were given when it was started. */
export class TaskSelectionView {
  @ApiPropertyOptional({ enum: RETRYABLE_STATUSES, example: 'FAILED' })
  status?: RetryableStatus;

  @ApiPropertyOptional({ example: 'invoice.created' })
  event?: string;

  @ApiPropertyOptional({ format: 'uuid', example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11' })
  subscription_id?: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2026-11-24T00:00:00.000Z' })
  since?: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2026-11-25T00:00:00.000Z' })
  until?: string;
}

/** A background task as clients see it. */
export class TaskView {
  @ApiProperty({ format: 'uuid', example: '0193c5a0-9e4d-7c3a-9f64-0d7b1f0e6a11' })
  id!: string;

  @ApiProperty({ enum: TASK_KINDS, example: 'retry_deliveries' })
  kind!: TaskKind;

  @ApiProperty({ enum: TASK_STATUSES, example: 'RUNNING' })
  status!: TaskStatus;

  @ApiProperty({
    type: 'integer',
    description:
      'What matched when it was started; of more than 1,000 events that a filter is asked about, how many those are, until it is done.',
    example: 120,
  })
  total!: number;

  @ApiProperty({ type: 'integer', description: 'Made due so far.', example: 40 })
  done!: number;

  @ApiProperty({
    type: 'integer',
    description:
      'What matched as well, and was left out: its payload was removed, or its subscription is not active.',
    example: 0,
  })
  skipped!: number;

  @ApiProperty({ type: TaskSelectionView })
  selection!: TaskSelectionView;

  @ApiProperty({ type: 'string', nullable: true, description: 'Why it FAILED.', example: null })
  error!: string | null;

  @ApiProperty({ description: 'Who started it: the subject of the token.', example: 'user-17' })
  created_by!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:01.000Z' })
  updated_at!: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  finished_at!: string | null;
}

/** What a dry run found. */
export class DryRunView {
  @ApiProperty({ type: 'boolean', enum: [true], example: true })
  dry_run!: true;

  @ApiProperty({
    type: 'integer',
    description:
      'What would be sent again; of more than 1,000 events that a filter is asked about, how many those are.',
    example: 120,
  })
  count!: number;

  @ApiProperty({
    type: 'integer',
    description: 'What would be left out, see `skipped` of a task.',
    example: 0,
  })
  skipped!: number;
}

export function presentTask(task: Task): TaskView {
  return {
    id: task.id,
    kind: task.kind,
    status: task.status,
    total: task.total,
    done: task.done,
    skipped: task.skipped,
    selection: presentSelection(task),
    error: task.error,
    created_by: task.createdBy,
    created_at: task.createdAt.toISOString(),
    updated_at: task.updatedAt.toISOString(),
    finished_at: task.finishedAt?.toISOString() ?? null,
  };
}

function presentSelection(task: Task): TaskSelectionView {
  if (task.kind === 'replay_missing') {
    return { subscription_id: task.selection.subscriptionId, since: task.selection.since };
  }
  const { status, event, subscriptionId, since, until } = task.selection;
  return {
    status,
    ...(event === undefined ? {} : { event }),
    ...(subscriptionId === undefined ? {} : { subscription_id: subscriptionId }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}
