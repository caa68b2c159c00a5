import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';

import { BUCKET_NAMES, type BucketName } from '../../domain/statistics-range.js';
import { IsInstant, IsNotBefore } from './constraints.js';

export class StatisticsDto {
  @ApiPropertyOptional({
    description:
      'From the bucket with this time on (RFC 3339; a day alone is its midnight in UTC); a day before `to` without it.',
    example: '2026-11-24T00:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('From')
  from?: string;

  @ApiPropertyOptional({
    description: 'Up to the bucket with this time; now without it.',
    example: '2026-11-24T12:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('To')
  @IsNotBefore('from', 'To must not be before from')
  to?: string;

  @ApiPropertyOptional({
    description:
      'Width of a bucket, in UTC; without it one that fits the range. Those of less than `1h` are kept for 48 hours.',
    enum: BUCKET_NAMES,
    example: '1h',
  })
  @IsOptional()
  @IsIn(BUCKET_NAMES, { message: `Bucket must be one of ${BUCKET_NAMES.join(', ')}` })
  bucket?: BucketName;

  @ApiPropertyOptional({ description: 'Of this subscription alone.', format: 'uuid' })
  @IsOptional()
  @IsUUID('loose', { message: 'Subscription id must be a UUID' })
  subscription_id?: string;
}
