import { OPERATIONAL_EVENTS } from '../operational-event.js';
import { envelopedType, TEXT, TIME } from './enveloped-type.js';
import type { EventType, JsonSchema } from './event-type.js';

const ENDPOINT: Readonly<Record<string, JsonSchema>> = {
  subscription_id: { type: 'string', format: 'uuid' },
  url: { ...TEXT, description: 'Without its query' },
  events: { type: 'array', items: TEXT },
};

const AN_ENDPOINT = {
  subscription_id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11',
  url: 'https://hooks.customer.com/gestiqcloud',
  events: ['invoice.*'],
};

const REASON: JsonSchema = { ...TEXT, description: 'In words' };

/** What the service tells of itself. Not matched by `*`, and never told to the endpoint that it is about. */
export const OPERATIONAL_TYPES: readonly EventType[] = [
  {
    kind: 'failing' as const,
    description: 'An endpoint fails: its circuit has opened, and what it should get waits.',
    data: { ...ENDPOINT, reason: REASON, next_probe_at: TIME },
    example: {
      reason: '10 failed attempts in a row; the last: HTTP 503',
      next_probe_at: '2026-11-24T09:00:30.000Z',
    },
  },
  {
    kind: 'recovered' as const,
    description: 'An endpoint that failed is well again: its circuit has closed, and what waited is sent.',
    data: { ...ENDPOINT, reason: REASON },
    example: { reason: 'A probe arrived' },
  },
  {
    kind: 'disabled' as const,
    description:
      'A subscription was deactivated: by its tenant, by an answer 410, or after five days of failures.',
    data: { ...ENDPOINT, reason: REASON, disabled_reason: { enum: ['manual', 'gone', 'failing'] } },
    example: { reason: 'The endpoint answered 410 Gone', disabled_reason: 'gone' },
  },
]
  .map(({ kind, description, data, example }) =>
    envelopedType({
      ...{ event: OPERATIONAL_EVENTS[kind], description, resourceType: 'webhook_endpoint', data },
      resourceId: AN_ENDPOINT.subscription_id,
      example: { ...AN_ENDPOINT, ...example },
    }),
  )
  .concat(
    envelopedType({
      event: OPERATIONAL_EVENTS.exhausted,
      description:
        'A delivery has failed for good. Of one endpoint the first is told at once, then what came since once a minute: `count` says how many, the rest is about the last of them.',
      resourceType: 'webhook_delivery',
      data: {
        ...ENDPOINT,
        delivery_id: { type: 'string', format: 'uuid' },
        event: TEXT,
        attempts: { type: 'integer' },
        last_error: TEXT,
        count: { type: 'integer', minimum: 1 },
      },
      resourceId: '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22',
      example: {
        ...AN_ENDPOINT,
        delivery_id: '0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22',
        event: 'invoice.paid',
        attempts: 4,
        last_error: 'HTTP 503',
        count: 1,
      },
    }),
  );
