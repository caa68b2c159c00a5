import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';

import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { EVENT_PATTERN_PATTERN, IsEventPattern } from './constraints.js';

export class ListSubscriptionsDto {
  @ApiPropertyOptional({
    description: 'Only those with exactly this event or pattern among their events.',
    example: 'invoice.created',
    pattern: EVENT_PATTERN_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @IsOptional()
  @IsString({ message: 'Event must be a string' })
  @IsEventPattern()
  event?: string;

  @ApiPropertyOptional({
    description: 'Only active (`true`) or only deactivated (`false`) ones.',
    enum: ['true', 'false'],
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'Active must be true or false' })
  active?: 'true' | 'false';
}
