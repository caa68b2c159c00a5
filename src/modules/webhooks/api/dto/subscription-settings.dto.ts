import { ApiPropertyOptional } from '@nestjs/swagger';

import { ByRule } from '../../../../platform/http/field-rules.js';
import { batchProblems, wantedBatch, type BatchWish } from '../../domain/batch.js';
import { circuitProblems, type CircuitWish } from '../../domain/gates/circuit-rule.js';
import { rateLimitProblems } from '../../domain/gates/rate-limit.js';
import { headersProblems, type HeadersWish } from '../../domain/custom-headers.js';
import { descriptionProblems, MAX_DESCRIPTION_LENGTH } from '../../domain/description.js';
import { DEFAULT_ORDERING, orderingProblems, type Ordering } from '../../domain/ordering.js';
import { retryScheduleProblems, type RetrySchedule } from '../../domain/retry-schedule.js';
import { signatureProblems, type SignatureWish } from '../../domain/signature-scheme.js';
import {
  fromStoredRate,
  MAX_TIMEOUT_SECONDS,
  MIN_TIMEOUT_SECONDS,
  timeoutProblems,
  type SettingsChange,
} from '../../domain/subscription-settings.js';
import { DEFAULT_TEMPLATE, templateProblems, type Template } from '../../domain/template.js';
import { FilterProperty } from './filter-property.js';
import {
  BATCH_SCHEMA,
  CIRCUIT_SCHEMA,
  HEADERS_SCHEMA,
  ORDERING_SCHEMA,
  RATE_LIMIT_SCHEMA,
  RETRY_SCHEDULE_SCHEMA,
  SIGNATURE_SCHEMA,
  TEMPLATE_SCHEMA,
  type RateLimitShape,
} from './settings-schemas.js';

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

  @FilterProperty(
    'What it wants of payloads: all conditions must hold, at the fan-out; retries and resends to a named subscription are not asked again. Keys are dotted paths (`\\.` is a dot in a name, a number picks from a list). ' +
      'A value must be the same; an object has `$eq`, `$ne`, `$gt`, `$gte`, `$lt`, `$lte`, `$in`, `$nin`, `$exists`, `$startsWith`, `$endsWith`, `$not`; `$and`, `$or`, `$not` join filters. ' +
      'A list fits when any of its elements does, each operator for itself. Nothing is converted: `"150"` is no number; numbers count with every digit, texts by code points. What is missing is only `$ne`, `$nin` and `$exists: false`. ' +
      `At most 16 KiB, nested 8 deep, 100 conditions, 200 values in lists. An event for which a filter takes too many steps (a list of 100,000 elements) is sent. Null: every payload. See \`POST /subscriptions/preview\`.`,
  )
  filter?: Record<string, unknown> | null;

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
    ...TEMPLATE_SCHEMA,
    nullable: true,
    default: DEFAULT_TEMPLATE,
    description:
      'The form of the body. `raw`: the payload byte for byte. `standard`: `{type, timestamp, data}`. `cloudevents`: structured CloudEvents 1.0 (`application/cloudevents+json`). ' +
      '`envelope`: as our modules emit. `thin`: `{type, timestamp, id, resource_id}`. The text of the payload goes in as it is. `{"jsonata": …}`: a JSONata expression over the payload, with `$event` (`id`, `type`, `timestamp`) and without regular expressions, `$eval` and `$random`; ' +
      'it gets 250 ms and 32 MiB and must make an object or an array of at most 1 MiB. Signatures are over what is sent. See `POST /subscriptions/preview`.',
    example: 'standard',
  })
  @ByRule(templateProblems)
  template?: Template | null;

  @ApiPropertyOptional({
    ...SIGNATURE_SCHEMA,
    nullable: true,
    default: { scheme: 'hmac' },
    description:
      'What signs its requests beside `X-Signature` and `webhook-signature: v1,…`, which always do. `v1a`: an ed25519 signature by a key pair of this subscription, ' +
      'whose `public_key` the answer shows. `jwt`: a token in `X-Webhook-JWT`, by our keys at `/.well-known/webhooks/jwks.json`, or with `HS256` by the secret.',
    example: { scheme: 'jwt', alg: 'EdDSA', ttl_seconds: 300 },
  })
  @ByRule(signatureProblems)
  signature?: SignatureWish | null;

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

  @ApiPropertyOptional({
    ...BATCH_SCHEMA,
    nullable: true,
    default: null,
    description:
      'Several events in one request: always a JSON array, also of one, of what `template` makes of each (`cloudevents`: `application/cloudevents-batch+json`), with one signature. ' +
      'It is sent when it has `max_events` or 1 MiB, or when the first of them has waited for `max_wait_ms` (`held_reason: "batching"`). `webhook-id` is that of the request, the same when it is made again with the same events; `X-Delivery-Ids` lists the deliveries, which are what to tell repeated ones by. ' +
      'Any 2xx delivers all of them. What failed goes again together, and one by one the last time that `retry_schedule` permits; after a 4xx that is for good they go one by one at once. Each has its own state and attempts; for `rate_limit` and `circuit` it is one request. Null, or a schedule without retries: each event in its own.',
    example: { max_events: 50, max_wait_ms: 1000 },
  })
  @ByRule(batchProblems)
  batch?: BatchWish | null;

  @ApiPropertyOptional({
    ...ORDERING_SCHEMA,
    nullable: true,
    default: DEFAULT_ORDERING,
    description:
      '`fifo`: its events go out one after the other, in the order in which they were committed: the next one when the one before it is DELIVERED or FAILED. ' +
      'With `ordering_key` at the emit, each key is an order of its own; all events without a key are one. What waits is held as `order`, and `blocked_by` names what it waits for; `POST /deliveries/:id/cancel` frees it. ' +
      'What is sent again goes before what waits. Null and `unordered`: as fast as the endpoint answers.',
    example: 'fifo',
  })
  @ByRule(orderingProblems)
  ordering?: Ordering | null;

  @ApiPropertyOptional({
    ...CIRCUIT_SCHEMA,
    nullable: true,
    default: { failures: 10, percent: 70, min_attempts: 20 },
    description:
      'When nothing is sent for a while because the endpoint fails: after so many failed attempts in a row, or such a share of those of five minutes. What waits is held as `circuit_open`; no attempt is spent and nothing dropped. ' +
      'One delivery is sent as a probe after 30 s, then after twice as long each time, up to an hour; when one arrives, the others follow, one at first and more as they arrive. ' +
      'What is left out is as by default, and null is all of it. After five days of nothing but failures the subscription is deactivated. See `POST …/reset-circuit`.',
    example: { failures: 5, percent: 50, min_attempts: 20 },
  })
  @ByRule(circuitProblems)
  circuit?: CircuitWish | null;
}

/** @returns undefined when nothing was given */
export function settingsOf({
  retry_schedule: retrySchedule,
  timeout_seconds: timeoutSeconds,
  rate_limit: rate,
  batch: wish,
  ordering,
  circuit,
  headers,
  signature,
  template,
}: SubscriptionSettingsDto): SettingsChange | undefined {
  const rateLimit = rate == null ? rate : fromStoredRate(rate);
  const batch = wish == null ? wish : wantedBatch(wish);
  const others = { batch, ordering, circuit, headers, signature, template };
  const change: SettingsChange = { retrySchedule, timeoutSeconds, rateLimit, ...others };
  return Object.values(change).every((value) => value === undefined) ? undefined : change;
}
