import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, IsUUID, Max, Min } from 'class-validator';

import { DELIVERY_STATUSES, type DeliveryStatus } from '../../domain/delivery.js';

/** Deliveries on one page at most, and by default (contract). */
export const MAX_PAGE = 100;

export class ListDeliveriesDto {
  @ApiPropertyOptional({ description: 'Only deliveries of this event.', example: 'invoice.created' })
  @IsOptional()
  @IsString({ message: 'Event must be a string' })
  event?: string;

  @ApiPropertyOptional({ description: 'Only deliveries in this state.', enum: DELIVERY_STATUSES })
  @IsOptional()
  @IsIn(DELIVERY_STATUSES, { message: `Status must be one of ${DELIVERY_STATUSES.join(', ')}` })
  status?: DeliveryStatus;

  @ApiPropertyOptional({ description: 'Only deliveries of this subscription.', format: 'uuid' })
  @IsOptional()
  @IsUUID(undefined, { message: 'Subscription id must be a UUID' })
  subscription_id?: string;

  @ApiPropertyOptional({
    description: 'Created at or after this time (ISO 8601).',
    example: '2026-11-01T00:00:00Z',
  })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'Since must be a time in ISO 8601, such as 2026-11-01T00:00:00Z' })
  since?: string;

  @ApiPropertyOptional({
    description: 'Created before this time (ISO 8601).',
    example: '2026-12-01T00:00:00Z',
  })
  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'Until must be a time in ISO 8601, such as 2026-11-01T00:00:00Z' })
  until?: string;

  @ApiPropertyOptional({
    description: 'Deliveries on the page.',
    type: 'integer',
    minimum: 1,
    maximum: MAX_PAGE,
    default: MAX_PAGE,
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt({ message: `Limit must be a whole number from 1 to ${MAX_PAGE}` })
  @Min(1, { message: `Limit must be a whole number from 1 to ${MAX_PAGE}` })
  @Max(MAX_PAGE, { message: `Limit must be a whole number from 1 to ${MAX_PAGE}` })
  limit?: number;

  @ApiPropertyOptional({ description: 'Where to go on: taken from the `Link` header of the page before.' })
  @IsOptional()
  @IsString({ message: 'Cursor must be a string' })
  cursor?: string;
}
