import type { EventType, JsonSchema } from './event-type.js';

const WHEN = '2026-11-24T09:00:00.000Z';

/** An event about one resource, in the envelope that all modules share: its `data` is what differs. */
export interface EnvelopedType {
  readonly event: string;
  readonly description: string;
  readonly resourceType: string;
  /** What `data` has for certain, by name. More may be added. */
  readonly data: Readonly<Record<string, JsonSchema>>;
  readonly example: Readonly<Record<string, unknown>>;
  /** Of the example; its `id` when it has one. */
  readonly resourceId?: string;
}

export const TEXT: JsonSchema = { type: 'string', minLength: 1 };
export const TIME: JsonSchema = { type: 'string', format: 'date-time' };
export const COUNT: JsonSchema = { type: 'number' };
/** Whole hundredths: sums of integers are exact in every language that reads them. */
export const CENTS: JsonSchema = { type: 'integer', description: 'Hundredths of the currency' };
export const CURRENCY: JsonSchema = { type: 'string', pattern: '^[A-Z]{3}$', description: 'ISO 4217' };

export function envelopedType(type: EnvelopedType): EventType {
  const { event, description, resourceType, data, example } = type;
  return {
    event,
    description,
    schema: {
      type: 'object',
      required: ['event', 'resource_type', 'resource_id', 'timestamp', 'data', 'metadata'],
      properties: {
        event: { const: event },
        resource_type: { const: resourceType },
        resource_id: TEXT,
        timestamp: { ...TIME, description: 'When it happened' },
        data: { type: 'object', required: Object.keys(data), properties: data },
        metadata: {
          type: 'object',
          required: ['tenant_id', 'source', 'version'],
          properties: {
            tenant_id: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' },
            source: { const: 'gestiqcloud' },
            version: { const: '1.0' },
          },
        },
      },
    },
    example: {
      event,
      resource_type: resourceType,
      resource_id: type.resourceId ?? example['id'],
      timestamp: WHEN,
      data: example,
      metadata: { tenant_id: 'acme', source: 'gestiqcloud', version: '1.0' },
    },
  };
}
