import { OPERATIONAL_EVENTS } from '../../domain/operational-event.js';

/* What becomes of an operational event makes no other. */
const OPERATIONAL = Object.values(OPERATIONAL_EVENTS)
  .map((event) => `'${event}'`)
  .join(', ');

/**
 * Notes the deliveries that a statement has ended, of each endpoint at once, as a settlement does with those that it ends; in
 * one order, so that two of them never wait for each other. Only what is read of a part is run: its rows have to be counted.
 *
 * @param ended the part of the statement that has them: tenant_id, subscription_id, id, event, attempts, last_error
 */
export function notesOf(ended: string): string {
  return `
  SELECT webhook_note(e.tenant_id, e.subscription_id, 'exhausted', e.details, e.count) AS told
    FROM (
      SELECT r.tenant_id, r.subscription_id, count(*)::integer AS count,
             (array_agg(json_build_object('delivery_id', r.id, 'event', r.event, 'attempts', r.attempts, 'last_error', r.last_error)
                        ORDER BY r.id DESC))[1] AS details
        FROM (${ended}) AS r WHERE r.event NOT IN (${OPERATIONAL})
       GROUP BY r.tenant_id, r.subscription_id ORDER BY r.tenant_id, r.subscription_id
    ) AS e`;
}
