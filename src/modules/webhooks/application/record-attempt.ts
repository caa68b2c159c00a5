import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import type { ClaimedDelivery } from '../domain/delivery.js';
import type { NextStep, SendOutcome } from '../domain/retry-policy.js';
import type { MadeAttempt } from './make-request.js';
import { DeliveryLanes } from './ports/delivery-lanes.js';
import { DeliveryMetrics } from './ports/delivery-metrics.js';
import { ReportCircuit } from './report-circuit.js';

/** Writes what an attempt came to, and tells it to metrics and log. */
@Injectable()
export class RecordAttempt {
  constructor(
    private readonly lanes: DeliveryLanes,
    private readonly circuits: ReportCircuit,
    private readonly metrics: DeliveryMetrics,
    private readonly logger: AppLogger,
  ) {}

  /** @returns whether something else is due in the lane, where that was asked */
  async execute(
    claim: ClaimedDelivery,
    made: MadeAttempt,
    next: NextStep,
    asksForMore: boolean,
  ): Promise<boolean> {
    const { outcome, durationMs, statusCode, responseBody, responseHeaders, requestHeaders } = made;
    const errorClass =
      outcome.kind === 'delivered' ? null : outcome.kind === 'blocked' ? 'blocked' : outcome.errorClass;
    const { held, isMoreDue, turns } = await this.lanes.record({
      tenantId: claim.tenantId,
      subscriptionId: claim.subscriptionId,
      eventId: claim.eventId,
      event: claim.event,
      deliveryId: claim.id,
      leaseToken: claim.leaseToken,
      number: claim.attemptNumber,
      trigger: claim.trigger,
      durationMs: Math.round(durationMs),
      statusCode,
      errorClass,
      error: outcome.kind === 'delivered' ? null : outcome.error,
      responseBody,
      responseHeaders,
      requestHeaders,
      next,
      epoch: claim.epoch,
      isProbe: claim.isProbe,
      retryAfterMs: outcome.kind === 'retryable' ? outcome.retryAfterMs : 0,
      asksForMore,
    });
    this.circuits.turned(claim, turns);
    this.metrics.attempted({
      tenantId: claim.tenantId,
      event: claim.event,
      durationMs,
      statusCode,
      reason: next.status === 'PENDING' ? errorClass : null,
      next,
    });
    this.report(claim, outcome, held);
    return isMoreDue;
  }

  private report(claim: ClaimedDelivery, outcome: SendOutcome, held: boolean): void {
    const context = { deliveryId: claim.id, tenantId: claim.tenantId };
    if (outcome.kind === 'delivered') {
      this.logger.info(`Webhook delivered successfully: ${claim.id} (HTTP ${outcome.statusCode})`, context);
    } else {
      this.logger.warn(`Webhook delivery failed: ${claim.id} (${outcome.error})`, context);
    }
    if (!held) {
      this.logger.warn(
        `The lease of delivery ${claim.id} ended before its result was written: the attempt is recorded, the state left to the newer lease`,
        context,
      );
    }
  }
}
