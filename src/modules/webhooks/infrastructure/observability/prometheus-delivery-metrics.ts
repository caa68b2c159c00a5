import { Counter, Histogram, type Registry } from 'prom-client';

import {
  DeliveryMetrics,
  type MeasuredAttempt,
  type RemovedKind,
} from '../../application/ports/delivery-metrics.js';
import type { CircuitState } from '../../domain/gates/circuit.js';
import type { EventCatalogue } from '../../domain/event-types/event-catalogue.js';

/** Seconds; from a receiver on the same host to one at the end of the default time budget. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The label of every event name that is not in the catalogue: tenants may make up as many as they like. */
const OTHER = 'other';

/** Receivers may answer any three digits; those that HTTP has no class for share one series. */
const statusLabel = (status: number): string => (status >= 100 && status < 600 ? String(status) : OTHER);

/** Counts for Prometheus. Tenants appear as a label only when that is switched on: it multiplies the series. */
export class PrometheusDeliveryMetrics extends DeliveryMetrics {
  private readonly deliveries: Counter;
  private readonly duration: Histogram;
  private readonly retries: Counter;
  private readonly httpStatus: Counter;
  private readonly events: Counter;
  private readonly circuits: Counter;
  private readonly retention: Counter;

  constructor(
    registry: Registry,
    private readonly catalogue: EventCatalogue,
    private readonly labelTenants: boolean,
  ) {
    super();
    const registers = [registry];
    const tenant = labelTenants ? ['tenant'] : [];
    this.deliveries = new Counter({
      name: 'webhook_deliveries_total',
      help: 'Deliveries that ended, by event and final status (DELIVERED or FAILED)',
      labelNames: ['event', 'status', ...tenant],
      registers,
    });
    this.duration = new Histogram({
      name: 'webhook_delivery_duration_seconds',
      help: 'Duration of one attempt: DNS, connect, TLS, request and response',
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.retries = new Counter({
      name: 'webhook_retries_total',
      help: 'Failed attempts after which another follows, by event and error class',
      labelNames: ['event', 'reason', ...tenant],
      registers,
    });
    this.httpStatus = new Counter({
      name: 'webhook_delivery_http_status',
      help: 'Answers of receivers by status code',
      labelNames: ['status_code'],
      registers,
    });
    this.events = new Counter({
      name: 'webhook_events_total',
      help: 'Events emitted, also those that nobody subscribed to',
      labelNames: ['event'],
      registers,
    });
    this.circuits = new Counter({
      name: 'webhook_circuit_total',
      help: 'Circuits of endpoints that came to a state (closed, open, half_open)',
      labelNames: ['to'],
      registers,
    });
    this.retention = new Counter({
      name: 'webhook_retention_removed_total',
      help: 'What retention removed, by kind (event, delivery, payload)',
      labelNames: ['kind'],
      registers,
    });
  }

  override attempted(attempt: MeasuredAttempt): void {
    const event = this.eventLabel(attempt.event);
    const tenant = this.labelTenants ? { tenant: attempt.tenantId } : {};
    this.duration.observe(attempt.durationMs / 1_000);
    if (attempt.statusCode !== null) this.httpStatus.inc({ status_code: statusLabel(attempt.statusCode) });
    if (attempt.next.status === 'PENDING') {
      this.retries.inc({ event, reason: attempt.reason ?? 'other', ...tenant });
    } else {
      this.deliveries.inc({ event, status: attempt.next.status, ...tenant });
    }
  }

  override emitted(event: string): void {
    this.events.inc({ event: this.eventLabel(event) });
  }

  override circuitTurned(to: CircuitState): void {
    this.circuits.inc({ to });
  }

  override removed(what: RemovedKind, count: number): void {
    if (count > 0) this.retention.inc({ kind: what }, count);
  }

  private eventLabel(event: string): string {
    return this.catalogue.has(event) ? event : OTHER;
  }
}
