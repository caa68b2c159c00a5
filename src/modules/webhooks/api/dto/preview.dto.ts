import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, IsString, ValidateIf } from 'class-validator';

import { ByRule } from '../../../../platform/http/field-rules.js';
import { isUuid } from '../../../../platform/kernel/uuid.js';
import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import { DEFAULT_TEMPLATE, templateProblems, type Template } from '../../domain/template.js';
import { EVENT_NAME_PATTERN, IsEventName } from './constraints.js';
import { FilterProperty } from './filter-property.js';
import { TEMPLATE_SCHEMA } from './settings-schemas.js';

export class PreviewDto {
  @ApiPropertyOptional({
    ...TEMPLATE_SCHEMA,
    nullable: true,
    default: DEFAULT_TEMPLATE,
    description: 'As a subscription has it.',
    example: 'standard',
  })
  @ByRule(templateProblems)
  template?: Template | null;

  @FilterProperty('As a subscription has it: `matches` says whether the event passes.')
  filter?: Record<string, unknown> | null;

  @ApiPropertyOptional({
    description: 'The name of the event of `payload`; without a payload, of the recent event that is taken.',
    example: 'invoice.created',
    pattern: EVENT_NAME_PATTERN,
    maxLength: MAX_EVENT_LENGTH,
  })
  @ValidateIf((dto: PreviewDto) => dto.event !== undefined)
  @IsString({ message: 'Event must be a string' })
  @IsEventName()
  event?: string;

  @ApiPropertyOptional({
    description: 'What to make a body of: a JSON object. Without one, a stored event is taken.',
    type: 'object',
    additionalProperties: true,
    example: { invoice_id: 'F-2026-0042', total: 121.0 },
  })
  @ValidateIf((dto: PreviewDto) => dto.payload !== undefined)
  @IsObject({ message: 'Payload must be a JSON object' })
  payload?: Record<string, unknown>;

  @ApiPropertyOptional({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: 'A stored event, when there is no `payload`; without either the most recent one.',
    // Of the field alone: in the example of the body stands `payload`.
    examples: ['0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11'],
  })
  @ByRule((value, path) =>
    typeof value === 'string' && isUuid(value) ? [] : [{ path, msg: 'event_id must be a UUID' }],
  )
  event_id?: string | null;
}
