import { describe, expect, it } from '@jest/globals';

import { bucketsOf, statisticsOf, type AttemptOutcome, type CountedAttempts } from './statistics.js';
import { statisticsRange, type RangeWish } from './statistics-range.js';

const counted = (
  outcome: AttemptOutcome,
  errorClass: string,
  durationMs: number,
  count = 1,
  startMs = 0,
): CountedAttempts => ({ startMs, outcome, errorClass, durationMs, count });

describe('statisticsOf', () => {
  it('adds up outcomes and causes', () => {
    expect(
      statisticsOf([
        counted('first', '', 10, 3),
        counted('delivered', '', 20, 2),
        counted('retried', 'http_5xx', 30, 4),
        counted('failed', 'http_5xx', 5),
        counted('failed', 'timeout', 10_000),
      ]),
    ).toEqual({
      ...{ attempts: 11, delivered: 5, deliveredFirst: 3, retried: 4, failed: 2 },
      errorClasses: { http_5xx: 5, timeout: 1 },
      durationMs: { p50: 20, p95: 10_000 },
    });
  });

  it.each<[number[], number | null, number | null]>([
    [[], null, null],
    [[7], 7, 7],
    [[1, 2], 1, 2],
    [[3, 1, 2], 2, 3],
    [Array.from({ length: 100 }, (_, n) => n + 1), 50, 95],
    [Array.from({ length: 20 }, (_, n) => n + 1), 10, 19],
  ])('of %j the half is at %j, and 95 %% at %j', (durations, p50, p95) => {
    expect(statisticsOf(durations.map((ms) => counted('first', '', ms))).durationMs).toEqual({ p50, p95 });
  });

  it('does not count what was not sent among the durations', () => {
    const { attempts, durationMs } = statisticsOf([
      ...[
        counted('failed', 'template_error', 0, 50),
        counted('failed', 'blocked', 1, 50),
        counted('first', '', 9),
      ],
    ]);
    expect({ attempts, durationMs }).toEqual({ attempts: 101, durationMs: { p50: 9, p95: 9 } });
  });

  it('has a bucket for every step, empty ones with counts of 0 and no percentiles', () => {
    const buckets = bucketsOf([counted('first', '', 4, 2, 60_000)], {
      fromMs: 0,
      toMs: 180_000,
      stepMs: 60_000,
    });
    expect(buckets.map(({ startMs, attempts, durationMs: { p50 } }) => [startMs, attempts, p50])).toEqual([
      ...[
        [0, 0, null],
        [60_000, 2, 4],
        [120_000, 0, null],
      ],
    ]);
  });
});

describe('statisticsRange', () => {
  const NOW = Date.parse('2026-11-24T09:07:30Z');
  const at = (text: string): Date => new Date(`2026-${text}Z`);

  it.each<[string, RangeWish, string]>([
    ['nothing said', {}, '11-23T09:00 11-24T09:15 15m 1'],
    ['an hour', { from: at('11-24T08:07:30') }, '11-24T08:07 11-24T09:08 1m 1'],
    ['a week', { from: at('11-17T09:07:30') }, '11-17T08:00 11-24T10:00 2h 60'],
    ['a month', { from: at('10-25T00:00:00') }, '10-25T00:00 11-25T00:00 1d 60'],
    [
      'an hour of last week',
      { from: at('11-17T08:00:00'), to: at('11-17T09:00:00') },
      '11-17T08:00 11-17T10:00 2h 60',
    ],
    ['a bucket', { from: at('11-24T00:00:00'), bucket: '6h' }, '11-24T00:00 11-24T12:00 6h 60'],
    [
      'a moment',
      { from: at('11-24T09:00:00'), to: at('11-24T09:00:00'), bucket: '5m' },
      '11-24T09:00 11-24T09:05 5m 1',
    ],
  ])('%s', (_what, wish, expected) => {
    const result = statisticsRange(wish, NOW);
    if (!result.ok) throw new Error(result.message);
    const { fromMs, toMs, bucket, width } = result.range;
    const shown = [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(5, 16));
    expect([...shown, bucket, width].join(' ')).toBe(expected);
  });

  it.each<[string, RangeWish, string]>([
    ['from after to', { from: at('11-24T00:00:00'), to: at('11-23T00:00:00') }, 'to'],
    ['old minutes', { from: at('11-20T00:00:00'), to: at('11-20T01:00:00'), bucket: '1m' }, 'from'],
    ['too many', { from: at('01-01T00:00:00'), bucket: '1h' }, 'bucket'],
  ])('refuses %s', (_what, wish, field) => {
    expect(statisticsRange(wish, NOW)).toMatchObject({ ok: false, field });
  });
});
