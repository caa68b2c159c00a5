import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsString, IsUUID, ValidateIf } from 'class-validator';

import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { RETRYABLE_STATUSES, type RetryableStatus } from '../../domain/task.js';
import { EVENT_NAME_PATTERN, IsEventName, IsInstant, IsNotBefore } from './constraints.js';

const given = (name: string) => ValidateIf((dto: object) => Reflect.get(dto, name) !== undefined);

class DryRunDto {
  @ApiPropertyOptional({
    description: 'Only count what would be sent again; nothing is changed.',
    example: true,
    default: false,
  })
  @given('dry_run')
  @IsBoolean({ message: 'Dry run must be true or false' })
  dry_run?: boolean;
}

/** Which deliveries to send again; every field narrows it. */
export class RetryDeliveriesDto extends DryRunDto {
  @ApiPropertyOptional({
    description: 'Every FAILED delivery, where no filter is given.',
    default: false,
  })
  @given('all')
  @IsBoolean({ message: 'All must be true or false' })
  all?: boolean;

  @ApiPropertyOptional({
    description: 'Only deliveries in this state.',
    enum: RETRYABLE_STATUSES,
    default: 'FAILED',
    example: 'FAILED',
  })
  @given('status')
  @IsIn(RETRYABLE_STATUSES, { message: `Status must be one of ${RETRYABLE_STATUSES.join(', ')}` })
  status?: RetryableStatus;

  @ApiPropertyOptional({
    description: 'Only deliveries of this event.',
    example: 'invoice.created',
    pattern: EVENT_NAME_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @given('event')
  @IsString({ message: 'Event must be a string' })
  @IsEventName()
  event?: string;

  @ApiPropertyOptional({
    description: 'Only deliveries of this subscription.',
    format: 'uuid',
    example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11',
  })
  @given('subscription_id')
  @IsUUID('loose', { message: 'Subscription id must be a UUID' })
  subscription_id?: string;

  @ApiPropertyOptional({
    description: 'Created at or after this time (RFC 3339; a day alone is its midnight in UTC).',
    example: '2026-11-01T00:00:00Z',
    format: 'date-time',
  })
  @given('since')
  @IsInstant('Since')
  since?: string;

  @ApiPropertyOptional({
    description: 'Created before this time, which is not before `since`.',
    example: '2026-12-01T00:00:00Z',
    format: 'date-time',
  })
  @given('until')
  @IsInstant('Until')
  @IsNotBefore('since', 'Until must not be before since')
  until?: string;
}

/** From when on an endpoint is to get what it failed to take, or never got. */
export class RecoverDto extends DryRunDto {
  @ApiProperty({
    description: 'From this time on (RFC 3339; a day alone is its midnight in UTC).',
    example: '2026-11-24T00:00:00Z',
    format: 'date-time',
  })
  @IsInstant('Since')
  since!: string;
}
