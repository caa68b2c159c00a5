import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { ApiClient } from '../support/api-client.js';
import { ApiDocument, type Operation } from '../support/api-document.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { startServer } from '../support/server-process.js';
import { describeWithPostgres } from '../support/servers.js';
import { preparedCalls, UNKNOWN_ID, type Call, type Made } from './openapi-calls.js';
import { deliver } from './openapi-fixtures.js';

const TOO_LARGE = JSON.stringify({ filler: 'x'.repeat(1_100_000) });

/** Our own faults, a key set that does not answer, and the rate limit, which has a suite of its own. */
const NOT_CAUSED_HERE = new Set(['429', '500', '503']);

/** Served for people and tools, not part of what it describes. */
const IS_ABOUT_THE_API = /^\/docs/;

/** Objects of bodies whose names are the tenant's. */
const FREE = new Set(['payload', 'headers', 'filter']);

describeWithPostgres('the OpenAPI document', () => {
  let app: RestApp;
  let document: ApiDocument;
  let database: pg.Client;

  beforeAll(async () => {
    app = await startRestApp();
    document = app.document;
    database = new pg.Client({ connectionString: app.databaseUrl });
    await database.connect();
  }, 180_000);

  afterAll(async () => {
    await database?.end();
    await app?.close();
  });

  it('is OpenAPI 3.1, without what only 3.0 had', () => {
    expect(document.version).toMatch(/^3\.1\.\d+$/);
    expect(document.text).not.toContain('"nullable"');
  });

  it('has every route and verb of the application, and no other', () => {
    const served = app.routes
      .filter(({ method, path }) => method !== 'HEAD' && method !== 'OPTIONS' && !IS_ABOUT_THE_API.test(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const documented = document.operations.map(({ method, path }) => `${method} ${path}`);
    expect(documented.sort()).toEqual([...new Set(served)].sort());
  });

  it('names each operation once, and says what token it asks for', async () => {
    const names = document.operations.map(({ operationId }) => operationId);
    expect(names).not.toContain(undefined);
    expect(new Set(names).size).toBe(names.length);
    for (const { security, path, method } of document.operations) {
      const anonymous = await fetch(app.url + path.replaceAll(/\{\w+\}/g, UNKNOWN_ID), { method });
      await anonymous.text();
      expect({ path, method, security }).toEqual({
        path,
        method,
        security: anonymous.status === 401 ? [{ bearer: [] }, { panel: [] }] : [],
      });
    }
  });

  it('has an example for every body, and each fits its schema', () => {
    for (const { operationId, requestBody, responses } of document.operations) {
      for (const body of [requestBody, ...Object.values(responses)]) {
        for (const [type, { schema, example, examples }] of Object.entries(body?.content ?? {})) {
          if (type !== 'application/json') continue;
          const given = examples ? Object.values(examples).map(({ value }) => value) : [example];
          expect({ operationId, examples: given.length }).not.toEqual({ operationId, examples: 0 });
          for (const value of given) {
            expect({ operationId, value }).not.toEqual({ operationId, value: undefined });
            expect({ operationId, problems: document.problems(schema, value) }).toEqual({
              operationId,
              problems: [],
            });
          }
        }
      }
    }
  });

  // Red when the schemas of bodies are left open: who reads the document alone would send what is refused.
  it('declares that fields that no body has are refused, in the objects of a body as well', () => {
    const refused = expect.arrayContaining([expect.stringMatching(/must NOT have additional properties$/)]);
    const objects: string[] = [];
    for (const { operationId, requestBody } of document.operations) {
      const media = requestBody?.content?.['application/json'];
      if (media === undefined) continue;
      const { schema, example } = media;
      const body = example as Readonly<Record<string, unknown>>;
      const more = { not_there: 1 };
      expect({ operationId, problems: document.problems(schema, { ...body, ...more }) }).toEqual({
        operationId,
        problems: refused,
      });
      for (const [name, value] of Object.entries(body)) {
        if (typeof value !== 'object' || value === null || Array.isArray(value) || FREE.has(name)) continue;
        const wrong = { ...body, [name]: { ...value, ...more } };
        expect({ operationId, name, problems: document.problems(schema, wrong) }).toEqual({
          ...{ operationId, name },
          problems: refused,
        });
        objects.push(name);
      }
    }
    expect(objects).toEqual(expect.arrayContaining(['rate_limit', 'signature']));
  });

  it('shows one of two alternatives in the example of a body', () => {
    const fieldsOf = (operationId: string): string[] =>
      Object.keys(
        document.operation(operationId).requestBody?.content?.['application/json']?.example as object,
      );
    expect(fieldsOf('createSubscription')).toContain('event');
    for (const [operationId, alternative] of [
      ['createSubscription', 'events'],
      ['updateSubscription', 'events'],
      ['rotateSecret', 'overlap_seconds'],
      ['previewBody', 'event_id'],
    ] as const)
      expect(fieldsOf(operationId)).not.toContain(alternative);
  });

  it('documents X-Request-Id on every answer, and Idempotency-Key and Link where they are', () => {
    for (const { operationId, responses } of document.operations) {
      for (const { headers } of Object.values(responses)) {
        expect({ operationId, header: headers?.['X-Request-Id']?.required }).toEqual({
          operationId,
          header: true,
        });
      }
    }
    for (const list of ['listDeliveries', 'listEvents', 'listTasks', 'listInvoices', 'listAudit'])
      expect(document.operation(list).responses['200']?.headers).toHaveProperty('Link');
    expect(document.operation('requestDelivery').parameters).toContainEqual(
      expect.objectContaining({ name: 'Idempotency-Key', in: 'header' }),
    );
  });

  it('is what the built server serves', async () => {
    const server = await startServer({
      env: {
        DATABASE_URL: app.databaseUrl,
        JWT_SECRET: 'integration-secret-of-32-characters',
        WEBHOOK_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
        WEBHOOK_ROLE: 'api',
      },
    });
    try {
      const { status, text } = await new ApiClient(server.url).request('GET', '/docs-json');
      expect(status).toBe(200);
      expect(ApiDocument.of(text).operations).toEqual(document.operations);
      expect((await new ApiClient(server.url).request('GET', '/docs')).status).toBe(200);
    } finally {
      await server.dispose();
    }
  }, 180_000);

  describe('is true of every answer', () => {
    let clients = 0;
    const call: Call = async (operation, client, options = {}) => {
      const path = operation.path.replaceAll(/\{\w+\}/g, options.id ?? UNKNOWN_ID) + (options.query ?? '');
      const answer = await client.request(operation.method, path, options);
      expect({
        operation: operation.operationId,
        status: answer.status,
        deviations: document.deviations(operation, answer),
      }).toEqual({ operation: operation.operationId, status: answer.status, deviations: [] });
      return { status: answer.status, answer };
    };
    const nextTenant = (scope?: string): Promise<ApiClient> => app.clientOf(`doc_${(clients += 1)}`, scope);

    /** One call for each refusal that any operation with such a documented status can be brought to. */
    const refusals: Record<string, (operation: Operation, client: ApiClient) => Promise<Made>> = {
      '400': (operation, client) =>
        operation.method === 'POST' || operation.method === 'PATCH' || operation.method === 'DELETE'
          ? call(operation, client, { body: '{' })
          : operation.path.includes('{')
            ? call(operation, client, { id: '%zz' })
            : call(operation, client, { query: '?unknown=1' }),
      '401': async (operation) => call(operation, await nextTenant(), { headers: { authorization: '' } }),
      '403': async (operation) => {
        const made = await call(operation, await nextTenant('other:scope'));
        expect(made.answer.body).toEqual({ detail: 'insufficient_scope' });
        return call(operation, await app.clientOf(undefined));
      },
      '413': (operation, client) => call(operation, client, { body: TOO_LARGE }),
      '415': (operation, client) =>
        call(operation, client, { body: 'text', headers: { 'content-type': 'text/plain' } }),
    };

    it('with every status that it can give', async () => {
      const prepared = preparedCalls(call, database, app);
      expect(Object.keys(prepared).sort()).toEqual(
        document.operations.map(({ operationId }) => operationId).sort(),
      );
      for (const operation of document.operations) {
        const client = await nextTenant();
        const seen = new Set<number>();
        for (const made of await prepared[operation.operationId!]!(client, operation)) seen.add(made.status);
        for (const [status, refuse] of Object.entries(refusals)) {
          // Where no token is asked for, none can be wrong; who asks, and what they may, is told to anybody with one.
          if ((status === '401' || status === '403') && operation.security?.length === 0) continue;
          if (status === '403' && operation.operationId === 'getPanelSession') continue;
          if (status in operation.responses) seen.add((await refuse(operation, client)).status);
        }
        const documented = Object.keys(operation.responses).filter(
          (status) => !NOT_CAUSED_HERE.has(status) || seen.has(Number(status)),
        );
        expect({ operation: operation.operationId, seen: [...seen].map(String).sort() }).toEqual({
          operation: operation.operationId,
          seen: documented.sort(),
        });
      }
    });

    it('with both forms of 400 where an action is refused', async () => {
      const client = await nextTenant();
      const id = await deliver(client);
      const { answer } = await call(document.operation('retryDelivery'), client, { id });
      expect(answer).toMatchObject({ status: 400, body: { detail: 'delivery_not_failed' } });
    });
  });
});
