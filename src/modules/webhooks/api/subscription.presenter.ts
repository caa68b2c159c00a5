import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import { shownHeaders } from '../domain/custom-headers.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';
import { shownSignature, type SignatureWish } from '../domain/signature-scheme.js';
import type { Subscription } from '../domain/subscription.js';
import { toStoredRate } from '../domain/subscription-settings.js';
import type { Template } from '../domain/template.js';
import { EVENTS_SCHEMA } from './dto/events-property.js';
import { FILTER_EXAMPLE, FILTER_SCHEMA } from './dto/filter-property.js';
import {
  HEADERS_SCHEMA,
  RATE_LIMIT_SCHEMA,
  RETRY_SCHEDULE_SCHEMA,
  SIGNATURE_SCHEMA,
  TEMPLATE_SCHEMA,
  type RateLimitShape,
} from './dto/settings-schemas.js';

/** A subscription as clients see it. */
export class SubscriptionView {
  @ApiProperty({ format: 'uuid', example: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11' })
  id!: string;

  @ApiProperty({ description: 'The first of `events`.', example: 'invoice.created' })
  event!: string;

  @ApiProperty({ ...EVENTS_SCHEMA, example: ['invoice.created', 'payment.*'] })
  events!: string[];

  @ApiProperty({ example: 'https://hooks.customer.com/gestiqcloud' })
  url!: string;

  @ApiProperty({ description: 'Never shown.', example: '***', enum: ['***'] })
  secret!: '***';

  @ApiProperty({ type: 'string', nullable: true, example: 'Stock of the shop in Sevilla' })
  description!: string | null;

  @ApiProperty({
    ...FILTER_SCHEMA,
    ...{ nullable: true, example: FILTER_EXAMPLE },
    description: 'What it wants of payloads, as it was given; null: every payload.',
  })
  filter!: Record<string, unknown> | null;

  @ApiProperty({
    ...HEADERS_SCHEMA,
    description: 'Headers that its requests carry besides ours; secret values are masked.',
    example: { 'X-Source': 'gestiqcloud', Authorization: '***' },
  })
  headers!: Record<string, string>;

  @ApiProperty({
    ...RETRY_SCHEDULE_SCHEMA,
    description: 'When failed attempts are made again; a list has the seconds before each retry.',
    example: 'default',
  })
  retry_schedule!: RetrySchedule;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Seconds that one attempt may take; null: as long as the service is set up for.',
    example: null,
  })
  timeout_seconds!: number | null;

  @ApiProperty({
    ...RATE_LIMIT_SCHEMA,
    nullable: true,
    description: 'Requests that the endpoint gets at most, evenly; null: as many as it answers.',
    example: null,
  })
  rate_limit!: RateLimitShape | null;
  @ApiProperty({ ...TEMPLATE_SCHEMA, description: 'The form of the body.', example: 'raw' })
  template!: Template;

  @ApiProperty({
    ...SIGNATURE_SCHEMA,
    description:
      'What signs its requests beside `X-Signature` and `v1`; `alg` and `ttl_seconds` are those of `jwt`.',
    example: { scheme: 'hmac', alg: 'EdDSA', ttl_seconds: 300 },
  })
  signature!: Required<SignatureWish>;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'What verifies its `v1a` signatures; null: it has none.',
    example: null,
  })
  public_key!: string | null;

  @ApiProperty({ example: true })
  active!: boolean;

  @ApiProperty({ description: 'Its deliveries are kept back, until it is resumed.', example: false })
  paused!: boolean;

  @ApiProperty({ type: 'string', nullable: true, description: 'Why it was deactivated.', example: null })
  deactivation_reason!: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  deactivated_at!: string | null;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'When the signing secret was last replaced.',
    example: null,
  })
  secret_rotated_at!: string | null;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Until when `webhook-signature` carries the signature of the previous secret as well.',
    example: null,
  })
  previous_secret_expires_at!: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  updated_at!: string;
}

/** The answer to what may have made a secret: creation and rotation. */
export class CreatedSubscriptionView extends SubscriptionView {
  @ApiPropertyOptional({
    description:
      'The secret that the service made, shown in this answer alone. Absent when the request gave one.',
    example: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
  })
  generated_secret?: string;
}

/** All but the filter, which has to be written as it was given: parsed, its numbers would lose digits. */
function presentSubscription(subscription: Subscription): Omit<SubscriptionView, 'filter'> {
  return {
    id: subscription.id,
    event: subscription.event,
    events: [...subscription.events],
    url: subscription.url,
    secret: '***',
    description: subscription.description,
    headers: shownHeaders(subscription.settings.headers),
    retry_schedule: subscription.settings.retrySchedule,
    timeout_seconds: subscription.settings.timeoutSeconds,
    rate_limit:
      subscription.settings.rateLimit === null ? null : toStoredRate(subscription.settings.rateLimit),
    template: subscription.settings.template,
    signature: shownSignature(subscription.settings.signature),
    public_key: subscription.settings.publicKey,
    active: subscription.active,
    paused: subscription.isPaused,
    deactivation_reason: subscription.deactivationReason,
    deactivated_at: subscription.deactivatedAt?.toISOString() ?? null,
    secret_rotated_at: subscription.secretRotatedAt?.toISOString() ?? null,
    previous_secret_expires_at: subscription.previousSecretExpiresAt?.toISOString() ?? null,
    created_at: subscription.createdAt.toISOString(),
    updated_at: subscription.updatedAt.toISOString(),
  };
}

/** The JSON text of a {@link SubscriptionView}. */
export function subscriptionJson(
  subscription: Subscription,
  more: Partial<CreatedSubscriptionView> = {},
): string {
  const view = JSON.stringify({ ...presentSubscription(subscription), ...more });
  return `${view.slice(0, -1)},"filter":${subscription.filter ?? 'null'}}`;
}

export function subscriptionsJson(subscriptions: readonly Subscription[]): string {
  return `[${subscriptions.map((one) => subscriptionJson(one)).join(',')}]`;
}

/**
 * The JSON text of a {@link CreatedSubscriptionView}.
 *
 * @param made what a use case did, with the secret that it may have made
 */
export function withSecretJson(made: {
  readonly subscription: Subscription;
  readonly generatedSecret: string | null;
}): string {
  const { subscription, generatedSecret: secret } = made;
  return subscriptionJson(subscription, secret === null ? {} : { generated_secret: secret });
}
