import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { ValidateBy, ValidateIf, type ValidationArguments } from 'class-validator';

import { ByRule } from '../../../../platform/http/field-rules.js';
import { MAX_EVENT_LENGTH } from '../../domain/event-name.js';
import {
  EVENT_OR_EVENTS,
  eventsProblems,
  isContradictory,
  MAX_EVENTS,
} from '../../domain/subscribed-events.js';
import { EVENT_PATTERN_PATTERN } from './constraints.js';

export const EVENTS_SCHEMA = {
  type: 'array' as const,
  items: { type: 'string', pattern: EVENT_PATTERN_PATTERN, maxLength: MAX_EVENT_LENGTH },
  minItems: 1,
  maxItems: MAX_EVENTS,
};

/** The field `events` of a request: a list that agrees with `event`, if that is given too. */
export function EventsProperty(description: string): PropertyDecorator {
  return applyDecorators(
    // `examples` belong to the field alone: in the example of the body stands `event`, which this takes the place of.
    ApiPropertyOptional({ ...EVENTS_SCHEMA, description, examples: [['invoice.created', 'payment.*']] }),
    ValidateIf((dto: { readonly events?: unknown }) => dto.events !== undefined),
    ValidateBy({
      name: 'agreesWithEvent',
      validator: {
        validate: (events: unknown, args?: ValidationArguments) => {
          const event: unknown = args === undefined ? undefined : Reflect.get(args.object, 'event');
          if (events === null) return false;
          return typeof event !== 'string' || !areTexts(events) || !isContradictory({ event, events });
        },
        // Rules are not asked about null, which stands for a default elsewhere: there is none here.
        defaultMessage: (args?: ValidationArguments) =>
          args?.value === null ? (eventsProblems(null, ['events'])[0]?.msg ?? '') : EVENT_OR_EVENTS,
      },
    }),
    ByRule(eventsProblems),
  );
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
