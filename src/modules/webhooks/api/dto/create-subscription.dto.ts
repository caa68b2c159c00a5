import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, ValidateIf } from 'class-validator';

import { IsGiven } from '../../../../platform/http/field-rules.js';
import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { MAX_SECRET_LENGTH, MAX_URL_LENGTH, MIN_SECRET_LENGTH } from '../../domain/subscription.js';
import { EVENT_OR_EVENTS } from '../../domain/subscribed-events.js';
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

export class CreateSubscriptionDto extends SubscriptionSettingsDto {
  @ApiPropertyOptional({
    description:
      'An event name, a prefix wildcard such as `invoice.*`, or `*` for every event. 1–100 characters; trimmed and lower-cased. Given, unless `events` is.',
    example: 'invoice.created',
    pattern: EVENT_PATTERN_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @ValidateIf((dto: CreateSubscriptionDto) => dto.event !== undefined || dto.events === undefined)
  @IsGiven(EVENT_OR_EVENTS)
  @IsString({ message: 'Event must be a string' })
  @IsEventPattern()
  event?: string;

  @EventsProperty(
    'Several of them, 1–50, in place of `event`, which is the first. An event that several match arrives once.',
  )
  events?: string[];

  @ApiProperty({
    description:
      'Where events are sent: a public HTTPS URL of at most 2048 characters, without credentials or fragment.',
    example: 'https://hooks.customer.com/gestiqcloud',
    pattern: TARGET_URL_PATTERN,
    maxLength: MAX_URL_LENGTH,
  })
  @IsString({ message: 'URL must be a string' })
  @IsTargetUrl()
  url!: string;

  @ApiPropertyOptional({
    description:
      'The signing secret, 8–500 characters; base64 after `whsec_`; never a `whpk_` key. Without one, the service makes one and shows it once, as `generated_secret`.',
    example: 'a-long-and-random-secret',
    minLength: MIN_SECRET_LENGTH,
    maxLength: MAX_SECRET_LENGTH,
    pattern: SECRET_PATTERN,
  })
  @ValidateIf((dto: CreateSubscriptionDto) => dto.secret !== undefined)
  @IsString({ message: 'Secret must be a string' })
  @IsSigningSecret()
  secret?: string;
}
