import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, ValidateIf } from 'class-validator';

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
import { SubscriptionSettingsDto } from './subscription-settings.dto.js';

export class CreateSubscriptionDto extends SubscriptionSettingsDto {
  @ApiProperty({
    description:
      'An event name, a prefix wildcard such as `invoice.*`, or `*` for every event. 1–100 characters; trimmed and lower-cased.',
    example: 'invoice.created',
    pattern: EVENT_PATTERN_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @IsString({ message: 'Event must be a string' })
  @IsEventPattern()
  event!: string;

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
