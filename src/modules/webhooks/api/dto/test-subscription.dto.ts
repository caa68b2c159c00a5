import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, ValidateIf } from 'class-validator';

import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { EVENT_NAME_PATTERN, IsEventName } from './constraints.js';

export class TestSubscriptionDto {
  @ApiPropertyOptional({
    description:
      'The event type of `GET /event-types` to send the example of. Without it: the first one that the subscription listens to, or `test`.',
    example: 'invoice.paid',
    pattern: EVENT_NAME_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @ValidateIf((dto: TestSubscriptionDto) => dto.event !== undefined)
  @IsString({ message: 'Event must be a string' })
  @IsEventName()
  event?: string;
}
