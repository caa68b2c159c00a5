import type { EntityManager } from 'typeorm';

import { PayloadFilter, payloadOf } from '../../domain/payload-filter/payload-filter.js';
import type { TaskSelection } from '../../domain/task.js';
import { rowsOf } from './task-selection.js';

/** Events whose payloads are read at once: each may have a mebibyte. */
const EVENTS_AT_ONCE = 25;
/** Events that are read to be counted. */
const COUNTED_EVENTS = 1_000;

const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export type MissingWork = Extract<TaskSelection, { readonly kind: 'replay_missing' }>;

export interface MissingPage {
  readonly wanted: readonly { readonly id: string }[];
  readonly subscriptionId: string;
  /** The last event that was looked at. */
  readonly last: string | null;
  readonly isLast: boolean;
}

/** The filter that an event has to pass to be missing. */
export async function filterOf(
  manager: EntityManager,
  work: MissingWork,
  tenantId: string,
): Promise<string | null> {
  const [row] = await manager.query<{ filter: string | null }[]>(
    'SELECT filter FROM webhook_subscriptions WHERE tenant_id = $1 AND id = $2',
    [tenantId, work.selection.subscriptionId],
  );
  return row?.filter ?? null;
}

interface MissingRange {
  readonly filter: string;
  readonly after: string;
  readonly upTo: string;
  /** Against retention, for who sends them. */
  readonly isLocking: boolean;
}

/** The next events that an endpoint never got, and those of them that its filter lets through. */
export async function missingEvents(
  manager: EntityManager,
  work: MissingWork,
  tenantId: string,
  { filter, after, upTo, isLocking }: MissingRange,
): Promise<MissingPage> {
  const { from, parameters } = rowsOf(work, tenantId, 4);
  const rows = await manager.query<{ id: string; payload: string }[]>(
    `SELECT r.id, r.payload::text AS payload ${from} AND r.id > $1 AND r.id <= $2
      ORDER BY r.id LIMIT $3 ${isLocking ? 'FOR KEY SHARE OF r' : ''}`,
    [after, upTo, EVENTS_AT_ONCE, ...parameters],
  );
  const judge = new PayloadFilter(filter);
  return {
    wanted: rows.filter(({ payload }) => judge.judge(payloadOf(payload)) !== 'differs'),
    subscriptionId: work.selection.subscriptionId,
    last: rows.at(-1)?.id ?? null,
    isLast: rows.length < EVENTS_AT_ONCE,
  };
}

/** Those that the filter lets through; of more than are read to be counted, all. @param count of those before the filter */
export async function countMissing(
  manager: EntityManager,
  work: MissingWork,
  tenantId: string,
  { filter, after, count }: { readonly filter: string; readonly after: string; readonly count: number },
): Promise<number> {
  if (count > COUNTED_EVENTS) return count;
  let wanted = 0;
  for (let position: string | null = after; position !== null;) {
    const range = { filter, after: position, upTo: LAST_UUID, isLocking: false };
    const page: MissingPage = await missingEvents(manager, work, tenantId, range);
    wanted += page.wanted.length;
    position = page.isLast ? null : page.last;
  }
  return wanted;
}
