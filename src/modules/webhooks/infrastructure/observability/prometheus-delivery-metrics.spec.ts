import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';

import { EventCatalogue } from '../../domain/event-types/event-catalogue.js';
import { WebhookEventType } from '../../domain/webhook-event-type.js';
import { PrometheusDeliveryMetrics } from './prometheus-delivery-metrics.js';

const NAMES = 500;

describe('PrometheusDeliveryMetrics', () => {
  // Red when a label is the name as it came: each makes series of its own, for as long as the process lives.
  it('has series for the catalogue alone, however many names and statuses come', async () => {
    const registry = new Registry();
    const metrics = new PrometheusDeliveryMetrics(registry, new EventCatalogue(), false);
    const attempted = (event: string, statusCode: number, status: 'DELIVERED' | 'PENDING'): void => {
      metrics.attempted({
        ...{
          tenantId: 'acme',
          event,
          durationMs: 5,
          statusCode,
          reason: status === 'PENDING' ? 'http_5xx' : null,
        },
        next: status === 'DELIVERED' ? { status } : { status, delayMs: 1, lastError: 'HTTP 500' },
      });
    };
    for (let n = 0; n < NAMES; n += 1) {
      for (const event of [`made.up_${n}`, WebhookEventType.InvoiceCreated]) {
        metrics.emitted(event);
        attempted(event, 200, 'DELIVERED');
        attempted(event, 600 + (n % 400), 'PENDING');
      }
    }
    const text = await registry.metrics();
    expect(text).toContain(`webhook_events_total{event="other"} ${NAMES}`);
    expect(text).toContain(`webhook_events_total{event="invoice.created"} ${NAMES}`);
    expect(text).toContain(`webhook_deliveries_total{event="other",status="DELIVERED"} ${NAMES}`);
    expect(text).toContain(`webhook_retries_total{event="other",reason="http_5xx"} ${NAMES}`);
    expect(text).toContain(`webhook_delivery_http_status{status_code="other"} ${2 * NAMES}`);
    expect(text.split('\n').length).toBeLessThan(60);
  });

  it('counts the states that circuits came to, each by its name', async () => {
    const registry = new Registry();
    const metrics = new PrometheusDeliveryMetrics(registry, new EventCatalogue(), true);
    for (const to of ['open', 'half_open', 'open', 'closed'] as const) metrics.circuitTurned(to);
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('webhook_circuit'));
    expect(lines).toEqual([
      'webhook_circuit_total{to="open"} 2',
      'webhook_circuit_total{to="half_open"} 1',
      'webhook_circuit_total{to="closed"} 1',
    ]);
  });
});
