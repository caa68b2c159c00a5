import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, IsUUID } from 'class-validator';

import { KeysetPageQuery } from '../../../../platform/http/keyset-page.js';
import { ERROR_CLASSES, HTTP_CLASSES, type ErrorClass, type HttpClass } from '../../domain/attempt.js';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../domain/delivery.js';
import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { MAX_RESOURCE_ID_LENGTH } from '../../domain/resource-id.js';
import {
  IsAtMost,
  EVENT_NAME_PATTERN,
  IsEventName,
  IsInstant,
  IsNotBefore,
  IsPlainText,
  PLAIN_TEXT_PATTERN,
} from './constraints.js';

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
    description: 'Only deliveries whose last attempt was answered like this.',
    enum: HTTP_CLASSES,
    example: '5xx',
  })
  @IsOptional()
  @IsIn(HTTP_CLASSES, { message: `HTTP class must be one of ${HTTP_CLASSES.join(', ')}` })
  http_class?: HttpClass;

  @ApiPropertyOptional({
    description: 'Only deliveries whose last attempt failed like this.',
    enum: ERROR_CLASSES,
    example: 'timeout',
  })
  @IsOptional()
  @IsIn(ERROR_CLASSES, { message: `Error class must be one of ${ERROR_CLASSES.join(', ')}` })
  error_class?: ErrorClass;

  @ApiPropertyOptional({
    description:
      'Only the delivery with this id, those of the event or subscription with this id, or those of events about the resource with this id: `resource_id` of the payload, or `id`, as it is written there (of a resource with more than 1,000 events, the newest).',
    example: 'F-2026-0042',
    minLength: 1,
    maxLength: MAX_RESOURCE_ID_LENGTH,
    pattern: PLAIN_TEXT_PATTERN,
  })
  @IsOptional()
  @IsString({ message: 'Q must be a string' })
  @IsPlainText('Q')
  @IsAtMost(MAX_RESOURCE_ID_LENGTH, 'Q')
  q?: string;

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
