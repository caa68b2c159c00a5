import type { OpenAPIObject } from '@nestjs/swagger';

type Json = Record<string, unknown>;

const VERBS = ['get', 'post', 'put', 'patch', 'delete'];
const SCHEMA_PREFIX = '#/components/schemas/';

const REQUEST_ID = {
  'X-Request-Id': {
    description: 'The id of this request in the log: the one that the client sent, or a new one.',
    required: true,
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
    example: '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50',
  },
};

const count = (description: string, example: number): Json => ({
  description,
  required: false,
  schema: { type: 'string', pattern: '^\\d+$' },
  example: String(example),
});

/** Where requests are counted, which can be refused with 429 (unless the installation sets no limit). */
const RATE_LIMIT = {
  'RateLimit-Limit': count('Requests that the tenant may make in a minute.', 6_000),
  'RateLimit-Remaining': count('How many of them are left.', 5_999),
  'RateLimit-Reset': count('Seconds until all of them are there again.', 1),
};

const retryAfter = (description: string, example: number): Json => ({
  'Retry-After': { ...count(description, example), required: true },
});

const RETRY_AFTER: Readonly<Record<string, Json>> = {
  '429': retryAfter('Seconds until the tenant may go on.', 1),
  '503': retryAfter('Seconds until it is worth trying again.', 5),
};

/**
 * Adds what holds for every operation, so that no controller can forget it: `X-Request-Id` and the counts of the
 * rate limit on every answer, an example
 * for every JSON body (made of the examples of its fields), `security: []` where no token is asked for, sessions where one is, and that DTOs take
 * no further fields.
 */
export function complete(document: OpenAPIObject): OpenAPIObject {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Json>;
  for (const operation of operationsOf(document)) {
    operation['security'] = withSessions(operation['security'] as Json[] | undefined);
    const body = operation['requestBody'] as Json | undefined;
    for (const schema of giveExamples(body, schemas)) schema['additionalProperties'] = false;
    const counted = '429' in (operation['responses'] as object);
    for (const [status, response] of Object.entries(operation['responses'] as Record<string, Json>)) {
      response['headers'] = {
        ...(response['headers'] as Json | undefined),
        ...REQUEST_ID,
        ...(counted ? RATE_LIMIT : {}),
        ...(counted ? RETRY_AFTER[status] : {}),
      };
      giveExamples(response, schemas);
    }
  }
  return document;
}

/** Where a token is taken, the session of a cookie is taken too. */
function withSessions(security: readonly Json[] = []): Json[] {
  return security.length === 0 ? [] : [...security, { panel: [] }];
}

function operationsOf(document: OpenAPIObject): Json[] {
  return Object.values(document.paths).flatMap((path) =>
    Object.entries(path as Json).flatMap(([verb, operation]) =>
      VERBS.includes(verb) ? [operation as Json] : [],
    ),
  );
}

/** @returns the named schemas that are the bodies themselves */
function giveExamples(holder: Json | undefined, schemas: Record<string, Json>): Json[] {
  const media = Object.values((holder?.['content'] ?? {}) as Record<string, Json>);
  return media.flatMap((one) => {
    const schema = one['schema'] as Json;
    if (one['example'] === undefined && one['examples'] === undefined) {
      const example = exampleOf(schema, schemas);
      if (example !== undefined) one['example'] = example;
    }
    const named = resolve(schema, schemas);
    return named === schema ? [] : [named];
  });
}

function exampleOf(given: Json, schemas: Record<string, Json>): unknown {
  const schema = resolve(given, schemas);
  if (schema['example'] !== undefined) return schema['example'];
  if (schema['type'] === 'array') {
    const item = exampleOf(schema['items'] as Json, schemas);
    return item === undefined ? undefined : [item];
  }
  const properties = schema['properties'] as Record<string, Json> | undefined;
  if (properties === undefined) return undefined;
  const fields = Object.entries(properties).map(
    ([name, field]) => [name, exampleOf(field, schemas)] as const,
  );
  return Object.fromEntries(fields.filter(([, example]) => example !== undefined));
}

function resolve(schema: Json, schemas: Record<string, Json>): Json {
  const reference = schema['$ref'];
  return typeof reference === 'string' ? (schemas[reference.slice(SCHEMA_PREFIX.length)] ?? schema) : schema;
}
