import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, IsUUID } from 'class-validator';

import { KeysetPageQuery } from '../../../../platform/http/keyset-page.js';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../domain/delivery.js';
import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { EVENT_NAME_PATTERN, IsEventName, IsInstant, IsNotBefore } from './constraints.js';

export class ListDeliveriesDto extends KeysetPageQuery {
  @ApiPropertyOptional({
    description: 'Only deliveries of this event.',
    example: 'invoice.created',
    pattern: EVENT_NAME_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @IsOptional()
  @IsString({ message: 'Event must be a string' })
  @IsEventName()
  event?: string;

  @ApiPropertyOptional({ description: 'Only deliveries in this state.', enum: DELIVERY_STATUSES })
  @IsOptional()
  @IsIn(DELIVERY_STATUSES, { message: `Status must be one of ${DELIVERY_STATUSES.join(', ')}` })
  status?: DeliveryStatus;

  @ApiPropertyOptional({ description: 'Only deliveries of this subscription.', format: 'uuid' })
  @IsOptional()
  @IsUUID('loose', { message: 'Subscription id must be a UUID' })
  subscription_id?: string;

  @ApiPropertyOptional({
    description: 'Created at or after this time (RFC 3339; a day alone is its midnight in UTC).',
    example: '2026-11-01T00:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('Since')
  since?: string;

  @ApiPropertyOptional({
    description: 'Created before this time, which is not before `since`.',
    example: '2026-12-01T00:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('Until')
  @IsNotBefore('since', 'Until must not be before since')
  until?: string;
}
