import type { Task, TaskSelection } from '../../domain/task.js';
import type { TaskRow } from './task.row.js';

export function toTask(row: TaskRow): Task {
  return {
    ...workOf(row),
    id: row.id,
    tenantId: row.tenantId,
    status: row.status,
    total: row.total,
    done: row.done,
    skipped: row.skipped,
    error: row.error,
    createdBy: row.createdBy,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    finishedAt: row.finishedAt,
  };
}

/** Kind and selection were stored together from one {@link TaskSelection}, so they fit. */
export function workOf({ kind, selection }: Pick<TaskRow, 'kind' | 'selection'>): TaskSelection {
  return { kind, selection } as TaskSelection;
}
