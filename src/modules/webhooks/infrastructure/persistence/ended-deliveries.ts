import { SUBSCRIPTION_DEACTIVATED } from '../../domain/delivery.js';

/**
 * Part of the statement that deactivates subscriptions: ends what waits for them, without an attempt. An attempt under way
 * goes on.
 *
 * @param deactivated the name of the CTE with their `tenant_id` and `id`
 */
export function endWaitingDeliveries(deactivated: string): string {
  return `
  UPDATE webhook_deliveries d
     SET status = 'FAILED', last_error = '${SUBSCRIPTION_DEACTIVATED}', next_attempt_at = NULL, next_trigger = 'auto',
         updated_at = now()
    FROM ${deactivated} s
   WHERE d.tenant_id = s.tenant_id AND d.subscription_id = s.id AND d.status = 'PENDING'`;
}
