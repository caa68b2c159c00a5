import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import type { Lane } from '../domain/lane.js';
import { DEACTIVATED_BY_FAILING } from '../domain/subscription.js';
import type { CircuitTurn } from './ports/delivery-lanes.js';
import { DeliveryMetrics } from './ports/delivery-metrics.js';

/** Tells metrics and log what became of an endpoint's circuit. */
@Injectable()
export class ReportCircuit {
  constructor(
    private readonly metrics: DeliveryMetrics,
    private readonly logger: AppLogger,
  ) {}

  probing(): void {
    this.metrics.circuitTurned('half_open');
  }

  turned({ tenantId, subscriptionId }: Lane, turns: readonly CircuitTurn[]): void {
    const context = { subscriptionId, tenantId };
    for (const turn of turns) {
      if (turn !== 'given_up') this.metrics.circuitTurned(turn === 'closed' ? 'closed' : 'open');
      // A probe that failed changes nothing for whoever reads the log.
      if (turn === 'opened') {
        this.logger.warn(`Webhook endpoint held: ${subscriptionId} (circuit_open)`, context);
      } else if (turn === 'closed') {
        this.logger.info(`Webhook endpoint released: ${subscriptionId} (circuit_open)`, context);
      } else if (turn === 'given_up') {
        this.logger.warn(
          `Webhook subscription deactivated: ${subscriptionId} (${DEACTIVATED_BY_FAILING})`,
          context,
        );
      }
    }
  }
}
