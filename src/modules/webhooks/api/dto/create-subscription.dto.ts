import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, ValidateIf } from 'class-validator';

import { IsEventPattern, IsSigningSecret, IsTargetUrl } from './constraints.js';

export class CreateSubscriptionDto {
  @ApiProperty({
    description:
      'An event name, a prefix wildcard such as `invoice.*`, or `*` for every event. 1–100 characters; trimmed and lower-cased.',
    example: 'invoice.created',
    minLength: 1,
  })
  @IsString({ message: 'Event must be a string' })
  @IsEventPattern()
  event!: string;

  @ApiProperty({
    description:
      'Where events are sent: a public HTTPS URL of at most 2048 characters, without credentials or fragment.',
    example: 'https://hooks.customer.com/gestiqcloud',
    minLength: 1,
  })
  @IsString({ message: 'URL must be a string' })
  @IsTargetUrl()
  url!: string;

  @ApiPropertyOptional({
    description:
      'The signing secret, 8–500 characters. Without one, the service makes one and shows it once, as `generated_secret`.',
    example: 'a-long-and-random-secret',
    minLength: 8,
    maxLength: 500,
  })
  @ValidateIf((dto: CreateSubscriptionDto) => dto.secret !== undefined)
  @IsString({ message: 'Secret must be a string' })
  @IsSigningSecret()
  secret?: string;
}
