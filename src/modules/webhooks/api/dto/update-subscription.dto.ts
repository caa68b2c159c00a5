import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, ValidateIf } from 'class-validator';

import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { MAX_SECRET_LENGTH, MAX_URL_LENGTH, MIN_SECRET_LENGTH } from '../../domain/subscription.js';
import {
  EVENT_PATTERN_PATTERN,
  IsEventPattern,
  IsSigningSecret,
  IsTargetUrl,
  SECRET_PATTERN,
  TARGET_URL_PATTERN,
} from './constraints.js';
import { EventsProperty } from './events-property.js';
import { SubscriptionSettingsDto } from './subscription-settings.dto.js';

export class UpdateSubscriptionDto extends SubscriptionSettingsDto {
  @ApiPropertyOptional({
    description: 'As at creation; takes the place of all events that it had.',
    example: 'invoice.created',
    pattern: EVENT_PATTERN_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @ValidateIf((dto: UpdateSubscriptionDto) => dto.event !== undefined)
  @IsString({ message: 'Event must be a string' })
  @IsEventPattern()
  event?: string;

  @EventsProperty('As at creation; takes the place of all events that it had.')
  events?: string[];

  @ApiPropertyOptional({
    description: 'As at creation.',
    example: 'https://hooks.customer.com/v2',
    pattern: TARGET_URL_PATTERN,
    maxLength: MAX_URL_LENGTH,
  })
  @ValidateIf((dto: UpdateSubscriptionDto) => dto.url !== undefined)
  @IsString({ message: 'URL must be a string' })
  @IsTargetUrl()
  url?: string;

  @ApiPropertyOptional({
    description:
      'Replaces the signing secret from the next attempt on; the old one stops at once, also one that a rotation still kept. `POST …/rotate-secret` changes it with an overlap.',
    example: 'another-long-and-random-secret',
    minLength: MIN_SECRET_LENGTH,
    maxLength: MAX_SECRET_LENGTH,
    pattern: SECRET_PATTERN,
  })
  @ValidateIf((dto: UpdateSubscriptionDto) => dto.secret !== undefined)
  @IsString({ message: 'Secret must be a string' })
  @IsSigningSecret()
  secret?: string;

  @ApiPropertyOptional({ description: 'False deactivates it, true activates it again.', example: true })
  @ValidateIf((dto: UpdateSubscriptionDto) => dto.active !== undefined)
  @IsBoolean({ message: 'Active must be true or false' })
  active?: boolean;
}
