import { SCHEDULE_OVER } from '../../domain/delivery.js';

/** Below every position that an event is given: as many as there will never be. */
const BEFORE_ALL = '4611686018427387904';

/**
 * The position of a delivery that is sent again, as SQL over its row. What has ended goes before what waits, in its old order;
 * what waits already keeps its place.
 */
export const POSITION_AGAIN = `CASE WHEN position > 0 AND status IN ('DELIVERED', 'FAILED') THEN position - ${BEFORE_ALL} ELSE position END`;

/** What becomes of its schedule, in the same way: see `requeue` in domain/delivery-transitions.ts. */
export const AUTO_ATTEMPTS_AGAIN = `CASE WHEN status IN ('DELIVERED', 'FAILED') THEN ${SCHEDULE_OVER} ELSE auto_attempts END`;

/** As assignments of an UPDATE: due now, as a manual attempt. */
export const SENT_AGAIN = `status = 'PENDING', next_trigger = 'manual', is_retry = false, next_attempt_at = now(), updated_at = now(),
         auto_attempts = ${AUTO_ATTEMPTS_AGAIN}, position = ${POSITION_AGAIN}`;

/** The position and the key of a delivery that is made for an event of before, in that order. @param settings of the subscription */
export function positionOfOld(settings: string, event: string): string {
  const isOrdered = `${settings} ->> 'ordering' = 'fifo'`;
  return `CASE WHEN ${isOrdered} THEN nextval('public.webhook_positions') - ${BEFORE_ALL} END,
       CASE WHEN ${isOrdered} THEN coalesce(${event}, '') END`;
}
