import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

import { toStoredBatch, type StoredBatch } from '../domain/batch.js';
import { shownCircuitRule } from '../domain/gates/circuit-rule.js';
import { CIRCUIT_STATES, type CircuitState } from '../domain/gates/circuit.js';
import { shownHeaders } from '../domain/custom-headers.js';
import type { Ordering } from '../domain/ordering.js';
import type { RetrySchedule } from '../domain/retry-schedule.js';
import { shownSignature, type SignatureWish } from '../domain/signature-scheme.js';
import {
  DISABLED_REASONS,
  disabledReason,
  type DisabledReason,
  type Subscription,
} from '../domain/subscription.js';
import { toStoredRate } from '../domain/subscription-settings.js';
import type { Template } from '../domain/template.js';
import { EVENTS_SCHEMA } from './dto/events-property.js';
import { FILTER_EXAMPLE, FILTER_SCHEMA } from './dto/filter-property.js';
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
} from './dto/settings-schemas.js';

/** When a circuit opens, and how it is now. */
export class CircuitView {
  @ApiProperty({ ...CIRCUIT_SCHEMA.properties.failures, example: 10 })
  failures!: number;

  @ApiProperty({ ...CIRCUIT_SCHEMA.properties.percent, example: 70 })
  percent!: number;

  @ApiProperty({ ...CIRCUIT_SCHEMA.properties.min_attempts, example: 20 })
  min_attempts!: number;

  @ApiProperty({
    enum: CIRCUIT_STATES,
    description:
      '`open`: nothing is sent. `half_open`: a probe finds out whether the endpoint is well again.',
    example: 'open',
  })
  state!: CircuitState;

  @ApiProperty({
    type: 'string',
    nullable: true,
    description: 'Why it opened; null while it is closed.',
    example: '10 failed attempts in a row; the last: HTTP 500',
  })
  cause!: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: '2026-11-24T09:00:00.000Z' })
  opened_at!: string | null;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'From when on one delivery is sent to find out; there is no probe while nothing waits.',
    example: '2026-11-24T09:00:30.000Z',
  })
  next_probe_at!: string | null;

  @ApiProperty({ type: 'integer', description: 'Failed attempts in a row.', example: 10 })
  consecutive_failures!: number;
}

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

  @ApiProperty({
    ...BATCH_SCHEMA,
    nullable: true,
    description: 'How several events go in one request; null: each in its own.',
    example: null,
  })
  batch!: StoredBatch | null;

  @ApiProperty({
    ...ORDERING_SCHEMA,
    description: '`fifo`: its events go out one after the other, for each `ordering_key`.',
    example: 'unordered',
  })
  ordering!: Ordering;

  @ApiProperty({
    description: 'When it opens, as `circuit` was given, and how it is now.',
    example: {
      ...{ failures: 10, percent: 70, min_attempts: 20, state: 'closed', cause: null, opened_at: null },
      ...{ next_probe_at: null, consecutive_failures: 0 },
    },
  })
  circuit!: CircuitView;

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

  @ApiProperty({
    type: 'string',
    nullable: true,
    enum: [...DISABLED_REASONS, null],
    description:
      'The same as a code: `manual` by the tenant, `gone` after a 410, `failing` after five days of nothing but failures.',
    example: null,
  })
  disabled_reason!: DisabledReason | null;

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
    batch: subscription.settings.batch === null ? null : toStoredBatch(subscription.settings.batch),
    ordering: subscription.settings.ordering,
    circuit: presentCircuit(subscription),
    template: subscription.settings.template,
    signature: shownSignature(subscription.settings.signature),
    public_key: subscription.settings.publicKey,
    active: subscription.active,
    paused: subscription.isPaused,
    deactivation_reason: subscription.deactivationReason,
    disabled_reason: disabledReason(subscription),
    deactivated_at: subscription.deactivatedAt?.toISOString() ?? null,
    secret_rotated_at: subscription.secretRotatedAt?.toISOString() ?? null,
    previous_secret_expires_at: subscription.previousSecretExpiresAt?.toISOString() ?? null,
    created_at: subscription.createdAt.toISOString(),
    updated_at: subscription.updatedAt.toISOString(),
  };
}

function presentCircuit({ settings, circuit }: Subscription): CircuitView {
  return {
    ...shownCircuitRule(settings.circuit),
    state: circuit.state,
    cause: circuit.cause,
    opened_at: circuit.openedAt?.toISOString() ?? null,
    next_probe_at: circuit.nextProbeAt?.toISOString() ?? null,
    consecutive_failures: circuit.failures,
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
