import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, IsString } from 'class-validator';

import { ByRule } from '../../../../platform/http/field-rules.js';
import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { MAX_ORDERING_KEY_LENGTH, orderingKeyProblems } from '../../domain/ordering.js';
import { EMITTED_NAME_PATTERN, IsEmittedName, PLAIN_TEXT_PATTERN } from './constraints.js';

export class RequestDeliveryDto {
  @ApiProperty({
    description:
      'The event that happened; 1–100 characters, trimmed and lower-cased. Names that begin with `webhook.` are reserved.',
    example: 'invoice.created',
    pattern: EMITTED_NAME_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @IsString({ message: 'Event must be a string' })
  @IsEmittedName()
  event!: string;

  @ApiProperty({
    description: 'The body that receivers get: a JSON object, sent with its key order and numbers as given.',
    type: 'object',
    additionalProperties: true,
    example: { invoice_id: 'F-2026-0042', total: 121.0 },
  })
  @IsObject({ message: 'Payload must be a JSON object' })
  payload!: Record<string, unknown>;

  @ApiPropertyOptional({
    description:
      'Within which order is kept, for subscriptions with `ordering: "fifo"`: the id of an invoice, for instance. Left out: one order for all events without a key.',
    type: 'string',
    minLength: 1,
    maxLength: MAX_ORDERING_KEY_LENGTH,
    pattern: PLAIN_TEXT_PATTERN,
    nullable: true,
    example: 'invoice F-2026-0042',
  })
  @ByRule(orderingKeyProblems)
  ordering_key?: string;
}
