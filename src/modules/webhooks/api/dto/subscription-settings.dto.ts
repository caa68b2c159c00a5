import { ApiPropertyOptional } from '@nestjs/swagger';

import { ByRule } from '../../../../platform/http/field-rules.js';
import { MAX_RATE, MAX_RATE_SECONDS, rateLimitProblems } from '../../domain/gates/rate-limit.js';
import {
  MAX_SCHEDULE_RETRIES,
  MAX_SCHEDULE_WAIT_SECONDS,
  retryScheduleProblems,
  type RetrySchedule,
} from '../../domain/retry-schedule.js';
import {
  fromStoredRate,
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

export const RATE_LIMIT_SCHEMA = {
  type: 'object' as const,
  properties: {
    max: { type: 'integer' as const, minimum: 1, maximum: MAX_RATE },
    per_seconds: { type: 'integer' as const, minimum: 1, maximum: MAX_RATE_SECONDS },
  },
  required: ['max', 'per_seconds'],
  additionalProperties: false,
};

/** A rate limit in the form of the API. */
export interface RateLimitShape {
  readonly max: number;
  readonly per_seconds: number;
}

/** What a subscription may ask for; null goes back to the default. */
export class SubscriptionSettingsDto {
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

  @ApiPropertyOptional({
    ...RATE_LIMIT_SCHEMA,
    nullable: true,
    default: null,
    description:
      'Requests that the endpoint gets at most, evenly spaced and without bursts: `{"max": 100, "per_seconds": 10}` is one every 100 ms. ' +
      'Retries and manual attempts count as well; what waits for its slot is held as `rate_limited`. Null: as many as it answers.',
    example: { max: 10, per_seconds: 1 },
  })
  @ByRule(rateLimitProblems)
  rate_limit?: RateLimitShape | null;
}

/** @returns undefined when nothing was given */
export function settingsOf({
  retry_schedule: retrySchedule,
  timeout_seconds: timeoutSeconds,
  rate_limit: rate,
}: SubscriptionSettingsDto): SettingsChange | undefined {
  const rateLimit = rate == null ? rate : fromStoredRate(rate);
  const change: SettingsChange = { retrySchedule, timeoutSeconds, rateLimit };
  return Object.values(change).every((value) => value === undefined) ? undefined : change;
}
