import { ApiProperty } from '@nestjs/swagger';

import type { EventType } from '../domain/event-types/event-type.js';

export class EventTypeView {
  @ApiProperty({ description: 'Its name: what a subscription listens to.', example: 'payment.received' })
  event!: string;

  @ApiProperty({ description: 'When it is emitted.', example: 'A payment came in.' })
  description!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description:
      'JSON Schema (2020-12) of the payload. What it does not name may be there, and may be added at any time.',
    example: {
      type: 'object',
      required: ['event', 'data'],
      properties: { event: { const: 'payment.received' }, data: { type: 'object' } },
    },
  })
  schema!: Readonly<Record<string, unknown>>;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'A payload that fits the schema.',
    example: { event: 'payment.received', data: { amount_cents: 12100, currency: 'EUR' } },
  })
  example!: Readonly<Record<string, unknown>>;
}

export function presentEventType({ event, description, schema, example }: EventType): EventTypeView {
  return { event, description, schema, example };
}
