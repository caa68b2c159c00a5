import type { AttemptResult } from '../../../src/modules/webhooks/application/ports/delivery-lanes.js';
import type { DeliveryDetail } from '../../../src/modules/webhooks/application/ports/delivery-repository.js';
import type { ClaimedDelivery } from '../../../src/modules/webhooks/domain/delivery.js';
import { TENANT, type PersistenceHarness } from './harness.js';

export const MAX_RETRIES = 3;

/** The result of a claim's attempt: a success unless changed. */
export function resultOf(claim: ClaimedDelivery, change: Partial<AttemptResult> = {}): AttemptResult {
  return {
    ...{ tenantId: claim.tenantId, subscriptionId: claim.subscriptionId, eventId: claim.eventId },
    ...{ event: claim.event, deliveryId: claim.id },
    ...{ leaseToken: claim.leaseToken, number: claim.attemptNumber, trigger: claim.trigger, durationMs: 12 },
    ...{
      statusCode: 200,
      errorClass: null,
      error: null,
      responseBody: 'ok',
      responseHeaders: { server: 'x' },
      requestHeaders: { 'X-Event': 'e' },
    },
    next: { status: 'DELIVERED' },
    ...{ epoch: claim.epoch, isProbe: claim.isProbe, retryAfterMs: 0 },
    asksForMore: false,
    ...change,
  };
}

/** A failure after which the next attempt follows `delayMs` milliseconds later. */
export const failed = (delayMs: number): Partial<AttemptResult> => ({
  ...{ statusCode: 500, errorClass: 'http_5xx', error: 'HTTP 500' },
  next: { status: 'PENDING', lastError: 'HTTP 500', delayMs },
});

/** @throws Error when there is no such delivery */
export async function deliveryDetail(harness: PersistenceHarness, id: string): Promise<DeliveryDetail> {
  const found = await harness.transactions.run(TENANT, (transaction) =>
    harness.deliveries.findDetail(transaction, id),
  );
  if (found === null) throw new Error(`no delivery ${id}`);
  return found;
}
