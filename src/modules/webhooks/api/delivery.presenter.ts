import { ApiProperty } from '@nestjs/swagger';

import type { AttemptRecord, DeliveryDetail } from '../application/ports/delivery-repository.js';
import { ERROR_CLASSES, type AttemptTrigger, type ErrorClass } from '../domain/attempt.js';
import {
  DELIVERY_STATUSES,
  HOLD_REASONS,
  type Delivery,
  type DeliveryStatus,
  type HoldReason,
} from '../domain/delivery.js';

/** A delivery as clients see it in a list. */
export class DeliveryView {
  @ApiProperty({ format: 'uuid', example: '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22' })
  id!: string;

  @ApiProperty({ example: 'invoice.created' })
  event!: string;

  @ApiProperty({ enum: DELIVERY_STATUSES, example: 'DELIVERED' })
  status!: DeliveryStatus;

  @ApiProperty({ type: 'integer', description: 'Attempts started.', example: 1 })
  attempts!: number;

  @ApiProperty({ example: 'https://hooks.customer.com/gestiqcloud' })
  target_url!: string;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description:
      '`HTTP 404`, `Request timeout (10s)`, `Connection error: …`, `Blocked target: …`, `Template error: …`, `Subscription deactivated`, `Held too long`, `Cancelled` or `Payload expired`.',
    example: null,
  })
  last_error!: string | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'What the last attempt was answered; null when it was not, or before the first.',
    example: 200,
  })
  last_status_code!: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Milliseconds that the last attempt took; null before the first has ended.',
    example: 84,
  })
  last_duration_ms!: number | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    enum: [...ERROR_CLASSES, null],
    description: 'Why the last attempt failed; null when it did not, or before the first.',
    example: null,
  })
  last_error_class!: ErrorClass | null;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.120Z' })
  updated_at!: string;

  @ApiProperty({ format: 'uuid', example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11' })
  subscription_id!: string;

  @ApiProperty({ format: 'uuid', example: '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50' })
  event_id!: string;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'When the next attempt is due, while PENDING.',
    example: null,
  })
  next_attempt_at!: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    enum: [...HOLD_REASONS, null],
    description:
      'Why it is kept back, while it is: `paused` by the tenant, `circuit_open` because its endpoint fails, `throttled` because its endpoint asked for a while (429 or 503 with `Retry-After`), `order` because an earlier event of its key comes first (`blocked_by`), `batching` until its batch closes, `rate_limited` by its subscription, `operator` when the service cannot send it now; no attempt is spent.',
    example: null,
  })
  held_reason!: HoldReason | null;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description:
      'When a held delivery is looked at again: for `rate_limited` the next slot of its subscription, the same for all that wait; null when nobody knows, as for `paused`.',
    example: null,
  })
  held_until!: string | null;

  @ApiProperty({
    type: 'string',
    format: 'uuid',
    nullable: true,
    description: 'The delivery that it waits for, when it waits for one.',
    example: null,
  })
  blocked_by!: string | null;
}

/** One attempt of a delivery. */
export class AttemptView {
  @ApiProperty({ type: 'integer', example: 1 })
  number!: number;

  @ApiProperty({ enum: ['auto', 'manual'], example: 'auto' })
  trigger!: AttemptTrigger;

  @ApiProperty({
    description:
      'It was made to find out whether the endpoint is well again; a failed one does not use up the retries.',
    example: false,
  })
  probe!: boolean;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.020Z' })
  started_at!: string;

  @ApiProperty({ type: 'integer', description: 'Milliseconds.', example: 84 })
  duration_ms!: number;

  @ApiProperty({ type: 'integer', nullable: true, example: 200 })
  status_code!: number | null;

  @ApiProperty({ type: 'string', enum: [...ERROR_CLASSES, null], nullable: true, example: null })
  error_class!: ErrorClass | null;

  @ApiProperty({ type: 'string', nullable: true, example: null })
  error!: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'The first 4 KiB of the answer.',
    example: 'ok',
  })
  response_body!: string | null;

  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: { type: 'string' },
    description:
      'Of the answer, at most 2 KiB; a longer value is cut and ends with `…`. Cookies, and what is named like a key, token or secret, is `***`, and so are secret headers of the subscription wherever the receiver sent them back. Null when there was no answer.',
    example: { 'content-type': 'text/plain', 'retry-after': '120' },
  })
  response_headers!: Readonly<Record<string, string>> | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { 'Content-Type': 'application/json', 'X-Event': 'invoice.created' },
  })
  request_headers!: Readonly<Record<string, string>>;
}

export class DeliveryDetailView extends DeliveryView {
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    description: 'As it was given, key order included; null once it was removed, see `payload_expired`.',
    example: { invoice_id: 'F-2026-0042', total: 121.0 },
  })
  payload!: Record<string, unknown> | null;

  @ApiProperty({
    description: 'True once the payload was removed because of its age: there is nothing left to send again.',
    example: false,
  })
  payload_expired!: boolean;

  @ApiProperty({ type: [AttemptView] })
  attempt_log!: AttemptView[];
}

export function presentDelivery(delivery: Delivery): DeliveryView {
  return {
    id: delivery.id,
    event: delivery.event,
    status: delivery.status,
    attempts: delivery.attempts,
    target_url: delivery.targetUrl,
    last_error: delivery.lastError,
    last_status_code: delivery.lastAttempt?.statusCode ?? null,
    last_duration_ms: delivery.lastAttempt?.durationMs ?? null,
    last_error_class: delivery.lastAttempt?.errorClass ?? null,
    created_at: delivery.createdAt.toISOString(),
    updated_at: delivery.updatedAt.toISOString(),
    subscription_id: delivery.subscriptionId,
    event_id: delivery.eventId,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    held_reason: delivery.hold?.reason ?? null,
    held_until: delivery.hold?.until?.toISOString() ?? null,
    blocked_by: delivery.hold?.blockedBy ?? null,
  };
}

/** The JSON text of a {@link DeliveryDetailView}. The payload goes in as text: parsing would reorder keys and round numbers. */
export function deliveryDetailJson(delivery: DeliveryDetail): string {
  const view = JSON.stringify({
    ...presentDelivery(delivery),
    attempt_log: delivery.attemptLog.map(presentAttempt),
    payload_expired: delivery.payload === null,
  });
  return `${view.slice(0, -1)},"payload":${delivery.payload ?? 'null'}}`;
}

function presentAttempt(attempt: AttemptRecord): AttemptView {
  return {
    number: attempt.number,
    trigger: attempt.trigger,
    probe: attempt.isProbe,
    started_at: attempt.startedAt.toISOString(),
    duration_ms: attempt.durationMs,
    status_code: attempt.statusCode,
    error_class: attempt.errorClass,
    error: attempt.error,
    response_body: attempt.responseBody,
    response_headers: attempt.responseHeaders,
    request_headers: attempt.requestHeaders,
  };
}
