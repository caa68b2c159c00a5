import { beforeEach, describe, expect, it } from '@jest/globals';

import { MetricsRegistry } from '../../../../platform/observability/metrics-registry.js';
import { ReadinessRegistry } from '../../../../platform/observability/readiness.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { InMemoryWebhooks } from '../../testing/in-memory-webhooks.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import { BacklogMonitor } from './backlog-monitor.js';

describe('BacklogMonitor', () => {
  let looks: number;
  let clock: FakeClock;
  let metrics: MetricsRegistry;
  let monitor: BacklogMonitor;
  let answer: () => Promise<{ pending: number; oldestDueAgeMs: number }>;

  beforeEach(() => {
    looks = 0;
    clock = new FakeClock();
    metrics = new MetricsRegistry();
    answer = async () => Promise.resolve({ pending: looks, oldestDueAgeMs: 0 });
    const { lanes } = new InMemoryWebhooks();
    lanes.backlog = async () => {
      looks += 1;
      return answer();
    };
    monitor = new BacklogMonitor(lanes, new ReadinessRegistry(), metrics, clock, new RecordingLogger());
    monitor.onModuleInit();
  });

  // Red when each probe and each scrape looks for itself: a look costs up to a tenth of a second where much waits.
  it('answers probes and scrapes of two seconds by one look', async () => {
    await Promise.all([monitor.check(), monitor.check(), metrics.registry.metrics()]);
    clock.advance(1_999);
    expect(await monitor.check()).toMatchObject({ pending: 1 });
    expect(looks).toBe(1);
    clock.advance(2);
    expect(await monitor.check()).toMatchObject({ pending: 2 });
  });

  it('looks again after a look that failed', async () => {
    answer = async () => Promise.reject(new Error('the database went away'));
    await expect(monitor.check()).rejects.toThrow('went away');
    answer = async () => Promise.resolve({ pending: 7, oldestDueAgeMs: 0 });
    expect(await monitor.check()).toMatchObject({ pending: 7 });
  });
});
