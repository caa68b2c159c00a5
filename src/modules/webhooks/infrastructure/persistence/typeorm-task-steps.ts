import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AppLogger } from '../../../../platform/kernel/app-logger.js';
import { TaskSteps, type TaskStep } from '../../application/ports/task-steps.js';
import type { Lane } from '../../domain/lane.js';
import type { TaskKind } from '../../domain/task.js';
import { filterOf, missingEvents, type MissingWork } from './missing-events.js';
import { positionOfOld, SENT_AGAIN } from './sent-again.js';
import { rowsOf } from './task-selection.js';
import { workOf } from './task.mapper.js';
import type { TaskRow } from './task.row.js';
import { WorkerTransaction } from './worker-transaction.js';

/** Steps of one task that may fail before it is given up: a database that is away for a moment must not end it. */
const MAX_FAILURES = 5;

const TAKE = `
SELECT tenant_id AS "tenantId", id, kind, selection, position, until FROM webhook_tasks
 WHERE status = 'RUNNING' ORDER BY updated_at LIMIT 1 FOR UPDATE SKIP LOCKED`;

const PROGRESS = `
UPDATE webhook_tasks
   SET done = done + $3, total = CASE WHEN $5 AND $6 THEN done + $3 ELSE total END, position = coalesce($4, position), updated_at = now(), failures = 0,
       status = CASE WHEN $5 THEN 'DONE' ELSE status END, finished_at = CASE WHEN $5 THEN now() END
 WHERE tenant_id = $1 AND id = $2`;

const FAILED = `
UPDATE webhook_tasks
   SET failures = failures + 1, updated_at = now(),
       status = CASE WHEN failures + 1 >= ${MAX_FAILURES} THEN 'FAILED' ELSE status END,
       error = CASE WHEN failures + 1 >= ${MAX_FAILURES} THEN $3 END,
       finished_at = CASE WHEN failures + 1 >= ${MAX_FAILURES} THEN now() END
 WHERE tenant_id = $1 AND id = $2 AND status = 'RUNNING'`;

/* What is picked is made due, as a manual attempt. A delivery that exists keeps its id, and so its webhook-id. */
const MADE_DUE: Readonly<Record<TaskKind, string>> = {
  retry_deliveries: `
    UPDATE webhook_deliveries d
       SET ${SENT_AGAIN}, task_id = p.task_id
      FROM picked p WHERE d.tenant_id = p.tenant_id AND d.id = p.id
    RETURNING d.subscription_id`,
  replay_missing: `
    INSERT INTO webhook_deliveries (tenant_id, id, event_id, subscription_id, event, next_trigger, target_url, task_id, position,
                                    ordering_key)
      SELECT p.tenant_id, webhook_uuid_v7(), p.id, p.subscription_id, p.event, 'manual', p.url, p.task_id, ${positionOfOld(
        'p.settings',
        `(
               SELECT e.ordering_key FROM webhook_events e WHERE e.tenant_id = p.tenant_id AND e.id = p.id)`,
      )}
        FROM picked p
    ON CONFLICT (tenant_id, event_id, subscription_id) DO NOTHING
    RETURNING subscription_id`,
};

/*
 * What of a task is due or under way, up to a bound. Of a task over many endpoints, what one of them keeps back does not count:
 * the others would wait for it.
 */
const RELEASED = `
SELECT count(*)::int AS count FROM (
  SELECT FROM webhook_deliveries d
   WHERE d.task_id = $2 AND d.tenant_id = $1 AND d.status IN ('PENDING', 'SENDING')
     AND ($3 OR NOT EXISTS (
       SELECT FROM webhook_lanes l
        WHERE l.tenant_id = d.tenant_id AND l.subscription_id = d.subscription_id
          AND (l.paused_at IS NOT NULL OR l.circuit_state <> 'closed')))
   LIMIT $4::int
) AS released`;

const WAITED = `UPDATE webhook_tasks SET updated_at = now() WHERE tenant_id = $1 AND id = $2`;

/* Deliveries are locked against a claim or a manual retry at this moment, events against retention. */
const LOCK: Readonly<Record<TaskKind, string>> = {
  retry_deliveries: 'FOR UPDATE OF r',
  replay_missing: 'FOR KEY SHARE OF r',
};

type TakenTask = Pick<TaskRow, 'tenantId' | 'id' | 'kind' | 'selection' | 'position' | 'until'>;

interface StepRow {
  readonly count: number;
  readonly last: string | null;
  readonly lanes: string[] | null;
}

@Injectable()
export class TypeormTaskSteps extends TaskSteps {
  constructor(
    private readonly transactions: WorkerTransaction,
    private readonly logger: AppLogger,
  ) {
    super();
  }

  override async next(most: number): Promise<TaskStep | null> {
    let task: TakenTask | undefined;
    try {
      return await this.transactions.run(async (manager) => {
        [task] = await manager.query<TakenTask[]>(TAKE);
        return task === undefined ? null : step(manager, task, most);
      });
    } catch (cause) {
      if (task === undefined) throw cause;
      await this.countFailure(task, cause);
      return { lanes: [], isWaiting: false };
    }
  }

  private async countFailure({ tenantId, id }: TakenTask, cause: unknown): Promise<void> {
    this.logger.error('A step of a background task failed', { taskId: id, tenantId, cause });
    await this.transactions.run((manager) =>
      manager.query(FAILED, [tenantId, id, 'Our fault: a step failed again and again; the log says why']),
    );
  }
}

async function step(manager: EntityManager, task: TakenTask, most: number): Promise<TaskStep> {
  const work = workOf(task);
  const isOfOne = work.selection.subscriptionId !== undefined;
  const [released] = await manager.query<{ count: number }[]>(RELEASED, [
    ...[task.tenantId, task.id, isOfOne, most],
  ]);
  const limit = most - (released?.count ?? 0);
  if (limit <= 0) {
    await manager.query(WAITED, [task.tenantId, task.id]);
    return { lanes: [], isWaiting: true };
  }
  if (work.kind === 'replay_missing') {
    const filter = await filterOf(manager, work, task.tenantId);
    if (filter !== null) return { lanes: await filteredStep(manager, task, work, filter), isWaiting: false };
  }
  const { from, parameters } = rowsOf(work, task.tenantId, 5);
  const [made] = await manager.query<StepRow[]>(
    `WITH picked AS (
       SELECT r.tenant_id, r.id, r.event, s.id AS subscription_id, s.url, s.settings,
              $4::uuid AS task_id ${from} AND r.id > $1 AND r.id <= $2
        ORDER BY r.id LIMIT $3 ${LOCK[task.kind]}
     ), due AS (${MADE_DUE[task.kind]})
     SELECT (SELECT count(*) FROM picked)::int AS count, (SELECT id FROM picked ORDER BY id DESC LIMIT 1) AS last,
            (SELECT array_agg(DISTINCT subscription_id) FROM due) AS lanes`,
    [task.position, task.until, limit, task.id, ...parameters],
  );
  const count = made?.count ?? 0;
  await manager.query(PROGRESS, [task.tenantId, task.id, count, made?.last ?? null, count < limit, false]);
  const lanes = (made?.lanes ?? []).map((subscriptionId) => ({ tenantId: task.tenantId, subscriptionId }));
  return { lanes, isWaiting: false };
}

/** What a filter keeps back was never the task's: in the end it is not counted either, however many were counted before. */
async function filteredStep(
  manager: EntityManager,
  task: TakenTask,
  work: MissingWork,
  filter: string,
): Promise<readonly Lane[]> {
  const range = { filter, after: task.position, upTo: task.until, isLocking: true };
  const page = await missingEvents(manager, work, task.tenantId, range);
  const ids = page.wanted.map(({ id }) => id);
  const made = await manager.query<{ subscription_id: string }[]>(
    `WITH picked AS (
       SELECT e.tenant_id, e.id, e.event, s.id AS subscription_id, s.url, s.settings, $4::uuid AS task_id
         FROM webhook_events e JOIN webhook_subscriptions s ON s.tenant_id = e.tenant_id AND s.id = $3
        WHERE e.tenant_id = $1 AND e.id = ANY ($2)
     )${MADE_DUE.replay_missing}`,
    [task.tenantId, ids, page.subscriptionId, task.id],
  );
  await manager.query(PROGRESS, [task.tenantId, task.id, ids.length, page.last, page.isLast, true]);
  return made.slice(0, 1).map((row) => ({ tenantId: task.tenantId, subscriptionId: row.subscription_id }));
}
