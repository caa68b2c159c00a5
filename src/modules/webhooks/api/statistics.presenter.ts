import { ApiProperty } from '@nestjs/swagger';

import type { StatisticsAnswer } from '../application/read-statistics.js';
import type { Statistics } from '../domain/statistics.js';
import { BUCKET_NAMES, type BucketName } from '../domain/statistics-range.js';

class DurationView {
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Half of the requests took no longer.',
    example: 84,
  })
  p50!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: '95 % of them took no longer.', example: 310 })
  p95!: number | null;
}

const EXAMPLE = {
  attempts: 130,
  delivered: 120,
  delivered_first: 112,
  retried: 9,
  failed: 1,
  error_classes: { http_5xx: 8, timeout: 2 },
  duration_ms: { p50: 84, p95: 310 },
};

export class StatisticsView {
  @ApiProperty({
    type: 'integer',
    description: 'Attempts that ended: the sum of `delivered`, `retried` and `failed`.',
    example: 130,
  })
  attempts!: number;

  @ApiProperty({ type: 'integer', description: 'Attempts that delivered.', example: 120 })
  delivered!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Those of them that were the first of their delivery.',
    example: 112,
  })
  delivered_first!: number;

  @ApiProperty({ type: 'integer', description: 'Failed attempts that others follow.', example: 9 })
  retried!: number;

  @ApiProperty({ type: 'integer', description: 'Attempts after which the delivery was FAILED.', example: 1 })
  failed!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Failed attempts by their `error_class`.',
    example: { http_5xx: 8, timeout: 2 },
  })
  error_classes!: Readonly<Record<string, number>>;

  @ApiProperty({
    type: DurationView,
    description:
      'Milliseconds that requests took, null where none was sent: exact up to 127, beyond at most 1.6 % less than it was.',
    example: { p50: 84, p95: 310 },
  })
  duration_ms!: DurationView;
}

class BucketView extends StatisticsView {
  @ApiProperty({ format: 'date-time', description: 'When it begins.', example: '2026-11-24T09:00:00.000Z' })
  start!: string;
}

export class StatisticsAnswerView {
  @ApiProperty({
    format: 'date-time',
    description: 'When the first bucket begins.',
    example: '2026-11-24T09:00:00.000Z',
  })
  from!: string;

  @ApiProperty({
    format: 'date-time',
    description: 'When the last one ends.',
    example: '2026-11-24T10:00:00.000Z',
  })
  to!: string;

  @ApiProperty({ enum: BUCKET_NAMES, example: '1h' })
  bucket!: BucketName;

  @ApiProperty({ enum: ['UTC'], description: 'Of the buckets.', example: 'UTC' })
  time_zone!: 'UTC';

  @ApiProperty({ type: StatisticsView, description: 'Of all buckets together.', example: EXAMPLE })
  totals!: StatisticsView;

  @ApiProperty({ type: [BucketView], description: 'Without a gap: what had no attempts has counts of 0.' })
  buckets!: BucketView[];
}

export function presentStatistics({ range, totals, buckets }: StatisticsAnswer): StatisticsAnswerView {
  return {
    from: new Date(range.fromMs).toISOString(),
    to: new Date(range.toMs).toISOString(),
    bucket: range.bucket,
    time_zone: 'UTC',
    totals: presented(totals),
    buckets: buckets.map((bucket) => ({
      start: new Date(bucket.startMs).toISOString(),
      ...presented(bucket),
    })),
  };
}

function presented(of: Statistics): StatisticsView {
  return {
    attempts: of.attempts,
    delivered: of.delivered,
    delivered_first: of.deliveredFirst,
    retried: of.retried,
    failed: of.failed,
    error_classes: of.errorClasses,
    duration_ms: of.durationMs,
  };
}
