import type { EntityManager } from 'typeorm';

import { FREE_INTERRUPTIONS } from '../../domain/delivery.js';
import type { Lane } from '../../domain/lane.js';
import { STANDARD_SCHEDULE_SECONDS } from '../../domain/retry-schedule.js';
import { notesOf } from './exhausted-notices.js';
import type { LeaseOwner } from './lease-owner.js';
import { BY_INDEX, WAITING_LANES, WALK_START, type WalkedTo } from './waiting-lanes.js';

/** The error of an attempt whose worker died, was frozen past its lease, or could not write the result. */
const INTERRUPTED = 'Connection error: interrupted, the worker stopped before recording a result';

/** Expired leases that one sweep gives back at most; the next takes the rest. */
const RECLAIM_LIMIT = 5_000;

/** Milliseconds that a due delivery may wait before the sweep rings for it: its own ring is usually on its way. */
const GRACE_MS = 250;

/* What an interrupted attempt is counted as; a result that comes after all is counted in its place. */
const OUTCOME = `CASE r.status WHEN 'FAILED' THEN 'failed' ELSE 'retried' END`;

/** One sweep at a time over all processes: what one finds, another need not look for. */
const LOCK = `SELECT pg_try_advisory_xact_lock(hashtextextended('webhooks: sweep', 0)) AS locked`;

/*
 * `unbroken`: it was alive until now, so nothing kept it from the database. The old row is read before it is written: an
 * INSERT cannot return what it replaced.
 */
const BEAT = `
WITH before AS (SELECT alive_until > now() AS unbroken FROM webhook_workers WHERE id = $1), beat AS (
  INSERT INTO webhook_workers (id, alive_until) VALUES ($1, now() + $2::int * interval '1 millisecond')
  ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until
)
SELECT coalesce((SELECT unbroken FROM before), false) AS unbroken`;

/** Rows of processes that ended long ago. */
const FORGET = `DELETE FROM webhook_workers WHERE alive_until < now() - interval '1 hour'`;

/*
 * A lease ends with its time, or with the process that holds it (never with the one that sweeps: it lives). The interrupted attempt is logged as such; if its worker
 * comes back after all, the real outcome replaces the line. In place of a probe that was interrupted another may begin at once. The first few do not use up the schedule: with no retries
 * configured, a crash between claim and request would otherwise end as FAILED without one request. A row was last changed
 * when its attempt began. `noted` selects, so it is run only where it is read: once for all rows.
 */
const RECLAIM = `
WITH expired AS (
  SELECT d.tenant_id, d.id, d.event_id, d.subscription_id, d.updated_at, d.next_trigger,
         d.interruptions < ${FREE_INTERRUPTIONS} AS is_free,
         d.interruptions >= ${FREE_INTERRUPTIONS} AND d.auto_attempts > coalesce((
           SELECT CASE jsonb_typeof(s.settings -> 'retry_schedule')
                       WHEN 'array' THEN jsonb_array_length(s.settings -> 'retry_schedule')
                       WHEN 'string' THEN ${STANDARD_SCHEDULE_SECONDS.length} END
             FROM webhook_subscriptions s WHERE s.tenant_id = d.tenant_id AND s.id = d.subscription_id
         ), $1::int) AS used_up
    FROM webhook_deliveries d
   WHERE d.status = 'SENDING'
     AND (d.leased_until < now()
          OR d.leased_by <> $3::uuid
             AND NOT EXISTS (SELECT FROM webhook_workers w WHERE w.id = d.leased_by AND w.alive_until > now()))
   LIMIT ${RECLAIM_LIMIT}
     FOR UPDATE SKIP LOCKED
), reclaimed AS (
  UPDATE webhook_deliveries d
     SET status = CASE WHEN x.used_up THEN 'FAILED' ELSE 'PENDING' END,
         next_attempt_at = CASE WHEN x.used_up THEN NULL ELSE now() END,
         last_error = $2,
         last_status_code = NULL,
         last_duration_ms = greatest(0, extract(epoch FROM now() - x.updated_at) * 1000)::int,
         last_error_class = 'other',
         auto_attempts = d.auto_attempts - (x.is_free AND d.next_trigger = 'auto')::int,
         interruptions = d.interruptions + 1,
         next_trigger = CASE WHEN x.is_free THEN d.next_trigger ELSE 'auto' END,
         is_retry = NOT (x.is_free AND d.next_trigger = 'manual'),
         lease_token = NULL,
         leased_by = NULL,
         leased_until = NULL,
         updated_at = now()
    FROM expired x
   WHERE d.event_id = x.event_id AND d.subscription_id = x.subscription_id AND d.tenant_id = x.tenant_id
  RETURNING d.tenant_id, d.subscription_id, d.id, d.event, d.attempts, d.status, d.last_error, x.next_trigger,
            x.updated_at AS started_at, greatest(0, extract(epoch FROM now() - x.updated_at) * 1000)::int AS duration_ms
), probes AS (
  UPDATE webhook_lanes l SET circuit_state = 'open', next_probe_at = now(), probe_id = NULL
    FROM reclaimed r
   WHERE l.tenant_id = r.tenant_id AND l.subscription_id = r.subscription_id AND l.probe_id = r.id
), noted AS (${notesOf(`SELECT * FROM reclaimed WHERE status = 'FAILED'`)}
), logged AS (
  INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, error_class, error,
                                request_headers, interrupted)
    SELECT r.tenant_id, r.id, r.attempts, r.next_trigger, r.started_at,
           r.duration_ms, 'other', $2, '{}', json_build_object('at', now(), 'ms', r.duration_ms, 'outcome', ${OUTCOME})
      FROM reclaimed r
  ON CONFLICT (tenant_id, delivery_id, number) DO NOTHING
), measured AS (
  INSERT INTO webhook_stats_new (tenant_id, attempts, subscriptions, outcomes, classes, durations)
    SELECT r.tenant_id, count(*), array_agg(r.subscription_id), array_agg(${OUTCOME}),
           array_agg('other'::text), array_agg(r.duration_ms)
      FROM reclaimed r GROUP BY r.tenant_id
)
SELECT count(*)::int AS count, (count(*) FILTER (WHERE status = 'PENDING'))::int AS due, tenant_id, subscription_id,
       (SELECT count(told) FROM noted) AS noted
  FROM reclaimed GROUP BY tenant_id, subscription_id`;

/*
 * Of the lanes where something waits, those where it is due. A lane that
 * its tenant has paused has nothing to be rung for, nor has one whose circuit is open before the next probe, or whose endpoint
 * asked for a while, or where everything waits for something before it, or for a batch to close. One with a rate is rung all the same: its limit may have been changed.
 */
const DUE_LANES = `
${WAITING_LANES}, seen AS (
  SELECT subscription_id, is_retry, tenant_id, n,
         next_attempt_at <= now() - ${GRACE_MS} * interval '1 millisecond'
         AND NOT EXISTS (SELECT FROM webhook_lanes l
                          WHERE l.tenant_id = lane.tenant_id AND l.subscription_id = lane.subscription_id
                            AND (l.paused_at IS NOT NULL OR webhook_circuit_shut(l.circuit_state, l.next_probe_at, now())
                                 OR webhook_throttled(l.held_until, now())))
         AND NOT EXISTS (SELECT FROM webhook_subscriptions s
                          WHERE s.tenant_id = lane.tenant_id AND s.id = lane.subscription_id
                            AND s.active AND (s.settings -> 'batch' IS NOT NULL OR s.settings -> 'ordering' IS NOT NULL)
                            AND webhook_lane_waits(s.tenant_id, s.id, s.settings, coalesce((
                                  SELECT l.circuit_state FROM webhook_lanes l
                                   WHERE l.tenant_id = s.tenant_id AND l.subscription_id = s.id), 'closed'), now())) AS is_due
    FROM lane
)
SELECT subscription_id, is_retry, tenant_id, is_due, n = $3::int AS is_last FROM seen WHERE is_due OR n = $3::int LIMIT $4::int`;

/**
 * Says that this process lives, so that its leases hold for a while more.
 *
 * @returns false after a gap: the process was away from the database for longer than that, or has just started
 */
export async function beat(manager: EntityManager, { id, aliveMs }: LeaseOwner): Promise<boolean> {
  const rows = await manager.query<{ unbroken: boolean }[]>(BEAT, [id, aliveMs]);
  return rows[0]?.unbroken === true;
}

/** Whether this process may sweep now; until its transaction ends no other may. */
export async function lockSweep(manager: EntityManager): Promise<boolean> {
  const rows = await manager.query<{ locked: boolean }[]>(LOCK);
  return rows[0]?.locked === true;
}

/** @returns how many expired leases were given back, and the lanes where an attempt is due for it. */
export async function reclaimExpired(
  manager: EntityManager,
  maxRetries: number,
  { id }: LeaseOwner,
): Promise<{ readonly count: number; readonly lanes: Lane[] }> {
  const rows = await manager.query<(LaneKey & { readonly count: number; readonly due: number })[]>(RECLAIM, [
    maxRetries,
    INTERRUPTED,
    id,
  ]);
  await manager.query(FORGET);
  return {
    count: rows.reduce((sum, { count }) => sum + count, 0),
    lanes: rows.filter(({ due }) => due > 0).map(laneOf),
  };
}

/**
 * Lanes with something due, in order of their ids from after `from`, so that each gets its turn to be found.
 *
 * @returns also where to go on; the start, when there is nothing behind
 */
export async function findDueLanes(
  manager: EntityManager,
  from: WalkedTo,
  most: { readonly lanes: number; readonly looks: number },
): Promise<{ readonly lanes: Lane[]; readonly sweptUpTo: WalkedTo }> {
  await manager.query(BY_INDEX);
  const rows = await manager.query<SeenRow[]>(DUE_LANES, [
    from.subscriptionId,
    from.isRetry,
    most.looks,
    most.lanes,
  ]);
  const due = rows.filter(({ is_due }) => is_due === true);
  const lanes = new Map(due.map((row) => [row.subscription_id, laneOf(row)]));
  const last = rows.at(-1);
  const isCut = last !== undefined && (rows.length === most.lanes || last.is_last);
  return {
    lanes: [...lanes.values()],
    sweptUpTo: isCut ? { subscriptionId: last.subscription_id, isRetry: last.is_retry } : WALK_START,
  };
}

interface LaneKey {
  readonly subscription_id: string;
  readonly tenant_id: string;
}

interface SeenRow extends LaneKey {
  readonly is_retry: boolean;
  readonly is_due: boolean | null;
  /** There was no look left for what comes after it. */
  readonly is_last: boolean;
}

function laneOf(row: LaneKey): Lane {
  return { tenantId: row.tenant_id, subscriptionId: row.subscription_id };
}
