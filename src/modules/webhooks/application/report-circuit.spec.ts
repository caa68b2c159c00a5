import { describe, expect, it } from '@jest/globals';

import { DEACTIVATED_BY_FAILING } from '../domain/subscription.js';
import { RecordingDeliveryMetrics } from '../testing/recording-delivery-metrics.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import type { CircuitTurn } from './ports/delivery-lanes.js';
import { ReportCircuit } from './report-circuit.js';

const LANE = { tenantId: 'acme', subscriptionId: 'one' };
const HELD = 'warn: Webhook endpoint held: one (circuit_open)';
const RELEASED = 'info: Webhook endpoint released: one (circuit_open)';
const ENDED = `warn: Webhook subscription deactivated: one (${DEACTIVATED_BY_FAILING})`;

describe('ReportCircuit', () => {
  // Red when a probe that failed is not counted, or is told to whoever reads the log; and when a subscription that ends counts.
  it.each<[string, readonly CircuitTurn[], readonly string[], readonly string[]]>([
    ['what opened', ['opened'], ['open'], [HELD]],
    ['a probe that failed, without a line', ['reopened'], ['open'], []],
    ['what closed', ['closed'], ['closed'], [RELEASED]],
    ['the probe after which a subscription ended', ['reopened', 'given_up'], ['open'], [ENDED]],
    ['all of one moment', ['opened', 'closed', 'opened'], ['open', 'closed', 'open'], [HELD, RELEASED, HELD]],
    ['nothing', [], [], []],
  ])('counts %s', (_what, turns, counted, said) => {
    const metrics = new RecordingDeliveryMetrics();
    const logger = new RecordingLogger();
    new ReportCircuit(metrics, logger).turned(LANE, turns);
    expect(metrics.circuits).toEqual(counted);
    expect(logger.lines.map(({ level, message }) => `${level}: ${message}`)).toEqual(said);
  });
});
