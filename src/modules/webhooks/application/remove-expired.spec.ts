import { beforeEach, describe, expect, it } from '@jest/globals';

import { FakeClock } from '../testing/fake-clock.js';
import { RecordingDeliveryMetrics } from '../testing/recording-delivery-metrics.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import { ExpiredHistory, type RemovedHistory } from './ports/expired-history.js';
import { RemoveExpired, type Pace, type RemovalResult } from './remove-expired.js';

const DAY = { retentionDays: 90, payloadRetentionDays: 30 };

/** Gives prepared batches, each of which takes 7 ms, and then nothing. */
class PreparedHistory extends ExpiredHistory {
  readonly asked: string[] = [];
  rows: (RemovedHistory | null | Error)[] = [];
  payloads: (number | null)[] = [];

  constructor(private readonly clock: FakeClock) {
    super();
  }

  override async remove(olderThanDays: number): Promise<RemovedHistory | null> {
    this.took(`rows ${olderThanDays}`);
    const next = this.rows.shift();
    if (next instanceof Error) throw next;
    return Promise.resolve(next === undefined ? { events: 0, deliveries: 0 } : next);
  }

  override async removePayloads(olderThanDays: number): Promise<number | null> {
    this.took(`payloads ${olderThanDays}`);
    const next = this.payloads.shift();
    return Promise.resolve(next === undefined ? 0 : next);
  }

  private took(what: string): void {
    this.asked.push(what);
    this.clock.advance(7);
  }
}

describe('RemoveExpired', () => {
  let clock: FakeClock;
  let history: PreparedHistory;
  let metrics: RecordingDeliveryMetrics;
  let logger: RecordingLogger;
  let rests: number[];
  let stopAfter: number;

  beforeEach(() => {
    clock = new FakeClock();
    history = new PreparedHistory(clock);
    metrics = new RecordingDeliveryMetrics();
    logger = new RecordingLogger();
    rests = [];
    stopAfter = Infinity;
  });

  const execute = async (settings = DAY): Promise<RemovalResult> => {
    const pace: Pace = {
      isStopped: () => history.asked.length >= stopAfter,
      rest: async (tookMs) => {
        rests.push(tookMs);
        return Promise.resolve();
      },
    };
    return new RemoveExpired(history, settings, metrics, clock, logger).execute(pace);
  };

  it('removes payloads, then rows, batch by batch with a rest after each, and says so once', async () => {
    history.payloads = [1_000, 5];
    history.rows = [
      { events: 0, deliveries: 1_000 },
      { events: 3, deliveries: 2 },
    ];
    const removed = { events: 3, deliveries: 1_002, payloads: 1_005 };
    expect(await execute()).toEqual({ ...removed, ended: 'complete' });
    expect(history.asked).toEqual([
      ...['payloads 30', 'payloads 30', 'payloads 30'],
      ...['rows 90', 'rows 90', 'rows 90'],
    ]);
    expect(rests).toEqual([7, 7, 7, 7]);
    expect(metrics.removals).toEqual({ event: 3, delivery: 1_002, payload: 1_005 });
    expect(logger.messages('info')).toEqual([
      'Retention removed the payload of 1005 events older than 30 days, and 3 events and 1002 deliveries older than 90 days',
    ]);
  });

  it.each([
    ['payloads stay as long as their events', { retentionDays: 90, payloadRetentionDays: null }, ['rows 90']],
    ['rows stay for ever', { retentionDays: 0, payloadRetentionDays: 30 }, ['payloads 30']],
    ['everything stays', { retentionDays: 0, payloadRetentionDays: null }, []],
  ])('asks for nothing that is to be kept: %s', async (_, settings, asked) => {
    expect(await execute(settings as typeof DAY)).toMatchObject({ ended: 'complete' });
    expect(history.asked).toEqual(asked);
    expect(logger.lines).toEqual([]);
  });

  it('leaves it to another process that is at it', async () => {
    history.payloads = [null];
    expect(await execute()).toMatchObject({ ended: 'busy' });
    expect(history.asked).toEqual(['payloads 30']);
  });

  it('stops between two batches', async () => {
    history.rows = Array.from({ length: 9 }, () => ({ events: 1, deliveries: 0 }));
    stopAfter = 3;
    expect(await execute()).toEqual({ events: 2, deliveries: 0, payloads: 0, ended: 'stopped' });
  });

  it('reports what it had removed when the storage fails', async () => {
    history.rows = [{ events: 1, deliveries: 2 }, new Error('the database went away')];
    await expect(execute()).rejects.toThrow('the database went away');
    expect(logger.messages('info')).toEqual([
      'Retention removed 1 events and 2 deliveries older than 90 days',
    ]);
  });
});
