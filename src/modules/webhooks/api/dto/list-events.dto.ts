import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';

import { KeysetPageQuery } from '../../../../platform/http/keyset-page.js';
import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { EVENT_NAME_PATTERN, IsEventName, IsInstant, IsNotBefore } from './constraints.js';

export class ListEventsDto extends KeysetPageQuery {
  @ApiPropertyOptional({
    description: 'Only events of this name.',
    example: 'invoice.created',
    pattern: EVENT_NAME_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @IsOptional()
  @IsString({ message: 'Event must be a string' })
  @IsEventName()
  event?: string;

  @ApiPropertyOptional({
    description:
      'Only events that went to somebody (`true`), or to nobody (`false`): nobody was subscribed, or filters kept them back.',
    enum: ['true', 'false'],
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'Matched must be true or false' })
  matched?: 'true' | 'false';

  @ApiPropertyOptional({
    description: 'Emitted at or after this time (RFC 3339; a day alone is its midnight in UTC).',
    example: '2026-11-01T00:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('Since')
  since?: string;

  @ApiPropertyOptional({
    description: 'Emitted before this time, which is not before `since`.',
    example: '2026-12-01T00:00:00Z',
    format: 'date-time',
  })
  @IsOptional()
  @IsInstant('Until')
  @IsNotBefore('since', 'Until must not be before since')
  until?: string;
}
