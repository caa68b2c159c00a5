import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, ValidateIf } from 'class-validator';

import { IsEventPattern, IsSigningSecret, IsTargetUrl } from './constraints.js';

export class UpdateSubscriptionDto {
  @ApiPropertyOptional({ description: 'As at creation.', example: 'invoice.*', minLength: 1 })
  @ValidateIf((dto: UpdateSubscriptionDto) => dto.event !== undefined)
  @IsString({ message: 'Event must be a string' })
  @IsEventPattern()
  event?: string;

  @ApiPropertyOptional({
    description: 'As at creation.',
    example: 'https://hooks.customer.com/v2',
    minLength: 1,
  })
  @ValidateIf((dto: UpdateSubscriptionDto) => dto.url !== undefined)
  @IsString({ message: 'URL must be a string' })
  @IsTargetUrl()
  url?: string;

  @ApiPropertyOptional({
    description: 'Replaces the signing secret from the next attempt on.',
    example: 'another-long-and-random-secret',
    minLength: 8,
    maxLength: 500,
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
