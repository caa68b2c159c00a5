import { Injectable } from '@nestjs/common';

import { AppLogger } from '../../../platform/kernel/app-logger.js';
import type { CircuitState } from '../domain/gates/circuit.js';
import type { Lane } from '../domain/lane.js';
import { DEACTIVATED_BY_FAILING } from '../domain/subscription.js';
import type { CircuitTurn } from './ports/delivery-lanes.js';
import { DeliveryMetrics } from './ports/delivery-metrics.js';

const TURNED: Partial<Record<CircuitTurn, CircuitState>> = {
  opened: 'open',
  reopened: 'open',
  closed: 'closed',
};

/** Tells metrics and log what became of an endpoint's circuit, and of what it asked for. */
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
      const to = TURNED[turn];
      if (to !== undefined) this.metrics.circuitTurned(to);
      // A probe that failed changes nothing for whoever reads the log.
      if (turn === 'opened') {
        this.logger.warn(`Webhook endpoint held: ${subscriptionId} (circuit_open)`, context);
      } else if (turn === 'closed') {
        this.logger.info(`Webhook endpoint released: ${subscriptionId} (circuit_open)`, context);
      } else if (turn === 'throttled') {
        this.logger.info(`Webhook endpoint held: ${subscriptionId} (throttled)`, context);
      } else if (turn === 'unthrottled') {
        this.logger.info(`Webhook endpoint released: ${subscriptionId} (throttled)`, context);
      } else if (turn === 'given_up') {
        this.logger.warn(
          `Webhook subscription deactivated: ${subscriptionId} (${DEACTIVATED_BY_FAILING})`,
          context,
        );
      }
    }
  }
}
