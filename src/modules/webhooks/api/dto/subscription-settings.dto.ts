import { ApiPropertyOptional } from '@nestjs/swagger';

import { ByRule } from '../../../../platform/http/field-rules.js';
import {
  headersProblems,
  MAX_HEADERS,
  MAX_HEADER_VALUE_LENGTH,
  type HeadersWish,
} from '../../domain/custom-headers.js';
import { descriptionProblems, MAX_DESCRIPTION_LENGTH } from '../../domain/description.js';
import {
  MAX_SCHEDULE_RETRIES,
  MAX_SCHEDULE_WAIT_SECONDS,
  retryScheduleProblems,
  type RetrySchedule,
} from '../../domain/retry-schedule.js';
import {
  MAX_TIMEOUT_SECONDS,
  MIN_TIMEOUT_SECONDS,
  timeoutProblems,
  type SettingsChange,
} from '../../domain/subscription-settings.js';

export const RETRY_SCHEDULE_SCHEMA = {
  oneOf: [
    { type: 'string', enum: ['default', 'standard'] },
    {
      type: 'array',
      items: { type: 'integer', minimum: 1, maximum: MAX_SCHEDULE_WAIT_SECONDS },
      maxItems: MAX_SCHEDULE_RETRIES,
    },
  ],
};

export const HEADERS_SCHEMA = {
  type: 'object' as const,
  maxProperties: MAX_HEADERS,
  additionalProperties: { type: 'string', minLength: 1, maxLength: MAX_HEADER_VALUE_LENGTH },
};

/** What a subscription may ask for; null goes back to the default. */
export class SubscriptionSettingsDto {
  @ApiPropertyOptional({
    type: 'string',
    maxLength: MAX_DESCRIPTION_LENGTH,
    nullable: true,
    default: null,
    description: 'What it is for, in your words: shown, and never sent.',
    example: 'Stock of the shop in Sevilla',
  })
  @ByRule(descriptionProblems)
  description?: string | null;

  @ApiPropertyOptional({
    ...HEADERS_SCHEMA,
    nullable: true,
    default: {},
    description:
      'Headers that its requests carry besides ours: at most 20 and 4 KiB in all; names of 1–64 characters, values of 1–1024 printable ASCII characters. ' +
      'Values of `Authorization`, `Cookie` and of names with `key`, `token` or `secret` in them are encrypted and shown as `***`; in a `PATCH`, `***` keeps the stored value. ' +
      'Given, they replace all that were there. Reserved: what belongs to the connection or the body (`Host`, `Content-*`, …) and what we send ourselves (`Webhook-*`, `X-Signature`, …).',
    example: { 'X-Source': 'gestiqcloud', Authorization: 'Bearer 0f1e2d3c' },
  })
  @ByRule(headersProblems)
  headers?: HeadersWish | null;

  @ApiPropertyOptional({
    ...RETRY_SCHEDULE_SCHEMA,
    nullable: true,
    default: 'default',
    description:
      'When failed attempts are made again. `default`: after 1 s, 2 s, 4 s. `standard`: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h. ' +
      'A list: the seconds before each retry, 7 days in all; `[]` makes none. All but `default` are drawn from ±20 %. `Retry-After` can only make a wait longer. ' +
      'A change keeps the time of an attempt that waits already.',
    example: [10, 60, 600],
  })
  @ByRule(retryScheduleProblems)
  retry_schedule?: RetrySchedule | null;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: MIN_TIMEOUT_SECONDS,
    maximum: MAX_TIMEOUT_SECONDS,
    nullable: true,
    default: null,
    description:
      'Seconds that one attempt may take, everything included: DNS, connect, TLS, headers, body. Null: as long as the service is set up for.',
    example: 20,
  })
  @ByRule(timeoutProblems)
  timeout_seconds?: number | null;
}

/** @returns undefined when nothing was given */
export function settingsOf({
  retry_schedule: retrySchedule,
  timeout_seconds: timeoutSeconds,
  headers,
}: SubscriptionSettingsDto): SettingsChange | undefined {
  const change: SettingsChange = { retrySchedule, timeoutSeconds, headers };
  return Object.values(change).every((value) => value === undefined) ? undefined : change;
}
