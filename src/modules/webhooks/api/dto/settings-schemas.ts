import { CIRCUIT_BOUNDS, DEFAULT_CIRCUIT_RULE, shownCircuitRule } from '../../domain/gates/circuit-rule.js';
import { MAX_RATE, MAX_RATE_SECONDS } from '../../domain/gates/rate-limit.js';
import { MAX_HEADERS, MAX_HEADER_VALUE_LENGTH } from '../../domain/custom-headers.js';
import {
  DEFAULT_BATCH_WAIT_MS,
  MAX_BATCH_EVENTS,
  MAX_BATCH_WAIT_MS,
  MIN_BATCH_EVENTS,
} from '../../domain/batch.js';
import { ORDERINGS } from '../../domain/ordering.js';
import { MAX_SCHEDULE_RETRIES, MAX_SCHEDULE_WAIT_SECONDS } from '../../domain/retry-schedule.js';
import {
  JWT_ALGORITHMS,
  MAX_JWT_TTL_SECONDS,
  MIN_JWT_TTL_SECONDS,
  SIGNATURE_SCHEMES,
} from '../../domain/signature-scheme.js';
import { MAX_TEMPLATE_BYTES, TEMPLATE_PRESETS } from '../../domain/template.js';

/* What requests and answers have in common. */

export const TEMPLATE_SCHEMA = {
  oneOf: [
    { type: 'string', enum: [...TEMPLATE_PRESETS] },
    {
      type: 'object',
      properties: { jsonata: { type: 'string', minLength: 1, maxLength: MAX_TEMPLATE_BYTES } },
      required: ['jsonata'],
      additionalProperties: false,
    },
  ],
};

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

export const SIGNATURE_SCHEMA = {
  type: 'object' as const,
  properties: {
    scheme: { type: 'string' as const, enum: [...SIGNATURE_SCHEMES] },
    alg: { type: 'string' as const, enum: [...JWT_ALGORITHMS] },
    ttl_seconds: { type: 'integer' as const, minimum: MIN_JWT_TTL_SECONDS, maximum: MAX_JWT_TTL_SECONDS },
  },
  additionalProperties: false,
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

export const BATCH_SCHEMA = {
  type: 'object' as const,
  properties: {
    max_events: {
      type: 'integer' as const,
      minimum: MIN_BATCH_EVENTS,
      maximum: MAX_BATCH_EVENTS,
    },
    max_wait_ms: {
      type: 'integer' as const,
      minimum: 0,
      maximum: MAX_BATCH_WAIT_MS,
      default: DEFAULT_BATCH_WAIT_MS,
    },
  },
  required: ['max_events'],
  additionalProperties: false,
};

export const ORDERING_SCHEMA = { type: 'string' as const, enum: [...ORDERINGS] };

const CIRCUIT_DEFAULT = shownCircuitRule(DEFAULT_CIRCUIT_RULE);

const circuitMember = (name: keyof typeof CIRCUIT_BOUNDS, description: string) => ({
  type: 'integer' as const,
  minimum: CIRCUIT_BOUNDS[name][0],
  maximum: CIRCUIT_BOUNDS[name][1],
  default: CIRCUIT_DEFAULT[name],
  description,
});

export const CIRCUIT_SCHEMA = {
  type: 'object' as const,
  properties: {
    failures: circuitMember('failures', 'Failed attempts in a row after which it opens.'),
    percent: circuitMember('percent', 'Share of failed attempts, in five minutes, at which it opens.'),
    min_attempts: circuitMember(
      'min_attempts',
      'Attempts in five minutes below which the share says nothing.',
    ),
  },
  additionalProperties: false,
};

/** A rate limit in the form of the API. */
export interface RateLimitShape {
  readonly max: number;
  readonly per_seconds: number;
}
