import { firstUuidAt } from '../../../../platform/kernel/uuid.js';
import type { TaskSelection } from '../../domain/task.js';
import { CLOCK_SKEW_MS } from './created-between.js';

/** Rows of a task as SQL: the same text counts them for a tenant and finds them for the worker. */
export interface SelectedRows {
  /** After `SELECT …`: the rows are `r`, the subscription that they go to is `s`. */
  readonly from: string;
  /** The same with those that cannot be sent, and the condition that tells them apart. */
  readonly all: string;
  readonly canBeSent: string;
  readonly parameters: readonly unknown[];
  /** No row of the task has an id at or before this one. */
  readonly startAfter: string;
}

const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Whether one of a subscription's patterns (a name, `a.*` or `*`) matches an event's name. */
const MATCHES = `EXISTS (SELECT FROM unnest(s.event || s.more_events) AS p (pattern)
         WHERE p.pattern = '*' OR p.pattern = r.event
            OR (p.pattern LIKE '%.*' AND starts_with(r.event, left(p.pattern, -1))))`;

/** @param first the number of the first free parameter */
export function rowsOf(work: TaskSelection, tenantId: string, first: number): SelectedRows {
  const parameters: unknown[] = [tenantId];
  const clause = (sql: string, value: unknown): string => {
    parameters.push(value);
    return ` AND ${sql.replace('?', `$${first + parameters.length - 1}`)}`;
  };
  const { since } = work.selection;
  const startAfter =
    since === undefined ? NIL_UUID : firstUuidAt(new Date(Date.parse(since) - CLOCK_SKEW_MS));
  const tenant = `r.tenant_id = $${first}`;
  const joined = 'JOIN webhook_subscriptions s ON s.tenant_id = r.tenant_id';
  const selected = (all: string, canBeSent: string): SelectedRows => {
    return { all, canBeSent: `(${canBeSent})`, from: `${all} AND ${canBeSent}`, parameters, startAfter };
  };
  if (work.kind === 'retry_deliveries') {
    const { status, event, subscriptionId, until } = work.selection;
    const all =
      `FROM webhook_deliveries r ${joined} AND s.id = r.subscription_id
         JOIN webhook_events e ON e.tenant_id = r.tenant_id AND e.id = r.event_id AND e.is_test IS NOT TRUE
        WHERE ${tenant}` +
      clause('r.status = ?', status) +
      (event === undefined ? '' : clause('r.event = ?', event)) +
      (subscriptionId === undefined ? '' : clause('r.subscription_id = ?', subscriptionId)) +
      (since === undefined ? '' : clause('r.created_at >= ?', since)) +
      (until === undefined ? '' : clause('r.created_at < ?', until));
    return selected(all, 's.active AND e.has_payload');
  }
  const all =
    `FROM webhook_events r ${joined}` +
    clause('s.id = ?', work.selection.subscriptionId) +
    ` AND ${MATCHES} WHERE ${tenant}` +
    clause('r.created_at >= ?', work.selection.since) +
    ` AND s.active AND r.is_test IS NOT TRUE AND NOT EXISTS (SELECT FROM webhook_deliveries d
                       WHERE d.tenant_id = r.tenant_id AND d.event_id = r.id AND d.subscription_id = s.id)`;
  return selected(all, 'r.has_payload');
}
