import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { PROTECTED_TABLES } from '../../src/platform/database/protected-tables.js';
import { TENANT_ROLE } from '../../src/platform/database/roles.js';
import type { ApiClient } from '../support/api-client.js';
import type { Operation } from '../support/api-document.js';
import { queryOnce } from '../support/postgres-server.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';
import { UNKNOWN_ID } from './openapi-calls.js';
import { deliver, eventIn, invoiceIn, subscribe, taskIn } from './openapi-fixtures.js';

const OWN_EVENT = 'doc.made';

/** One of everything that a tenant can have, by what it is. */
async function belongings(client: ApiClient): Promise<Record<string, string>> {
  return {
    subscription: await subscribe(client, OWN_EVENT),
    delivery: await deliver(client),
    event: await eventIn(client),
    task: await taskIn(client),
    invoice: await invoiceIn(client),
  };
}

/**
 * Row-level security is one line of defence and the tenant in every statement the other. The first is switched off here,
 * so every test is red where a statement of a repository goes by an id, or lists, without the tenant.
 */
describeWithPostgres('two tenants on every route, with row-level security switched off', () => {
  let app: RestApp;
  let owner: ApiClient;
  let other: ApiClient;
  let theirs: Record<string, string>;
  let own: Record<string, string>;

  beforeAll(async () => {
    app = await startRestApp();
    owner = await app.clientOf('owner');
    other = await app.clientOf('other');
    theirs = await belongings(owner);
    own = await belongings(other);
    for (const { name } of PROTECTED_TABLES) {
      await queryOnce(app.databaseUrl, `ALTER TABLE ${name} DISABLE ROW LEVEL SECURITY`);
    }
  }, 180_000);

  afterAll(async () => {
    await app?.close();
  });

  /** Every row of a tenant, so that any change of one shows. */
  const rowsOf = async (tenant: string): Promise<unknown[]> => {
    const selects = PROTECTED_TABLES.map(
      ({ name }) =>
        `SELECT '${name}' AS of, to_json(t)::text AS row FROM ${name} t WHERE tenant_id = '${tenant}'`,
    );
    return queryOnce(app.databaseUrl, `${selects.join(' UNION ALL ')} ORDER BY 1, 2`);
  };

  const exampleOf = ({ requestBody }: Operation): unknown => {
    const media = requestBody?.content?.['application/json'];
    return media?.examples ? Object.values(media.examples)[0]?.value : media?.example;
  };

  const call = async (operation: Operation, id: string, body: unknown, query = ''): Promise<string> => {
    const path = operation.path.replaceAll(/\{\w+\}/g, id) + query;
    const answer = await other.request(operation.method, path, body === undefined ? {} : { body });
    return `${answer.status} ${answer.text}`;
  };

  const tenantRoutes = (): Operation[] =>
    app.document.operations.filter(({ path }) => path.startsWith('/api/v1/tenant/'));

  it('is without its first line: the role of requests sees every tenant', async () => {
    const client = new pg.Client({ connectionString: app.databaseUrl });
    await client.connect();
    await client.query('BEGIN');
    await client.query(`SELECT set_config('role', $1, true)`, [TENANT_ROLE]);
    const seen = await client.query('SELECT DISTINCT tenant_id FROM webhook_subscriptions ORDER BY 1');
    expect(seen.rows).toEqual([{ tenant_id: 'other' }, { tenant_id: 'owner' }]);
    await client.end();
  });

  it('answers a foreign id of any kind exactly like one that does not exist', async () => {
    const before = await rowsOf('owner');
    const routes = tenantRoutes().filter(({ path }) => path.includes('{'));
    expect(routes.length).toBeGreaterThan(12);
    for (const route of routes) {
      for (const body of route.method === 'GET' ? [undefined] : [exampleOf(route), undefined, {}]) {
        const unknown = await call(route, UNKNOWN_ID, body);
        for (const [kind, id] of Object.entries(theirs)) {
          const what = `${route.method} ${route.path} of ${kind}`;
          expect(`${what}: ${await call(route, id, body)}`.replaceAll(id, UNKNOWN_ID)).toBe(
            `${what}: ${unknown}`,
          );
        }
      }
    }
    expect(await rowsOf('owner')).toEqual(before);
  });

  it('shows nothing of another tenant on the routes without an id, with and without filters', async () => {
    const before = await rowsOf('owner');
    const filters = ['', '?limit=100', `?subscription_id=${theirs['subscription']}`, `?event=${OWN_EVENT}`];
    for (const route of tenantRoutes().filter(({ path }) => !path.includes('{'))) {
      for (const filter of route.method === 'GET' ? filters : ['']) {
        // A stream would not end by itself.
        const query = route.path.endsWith('/stream') && filter === '' ? '?max_seconds=1' : filter;
        const answer = await call(route, '', exampleOf(route), query);
        for (const id of Object.values(theirs)) {
          // A refusal may repeat the filter that was sent, as far as it was refused.
          if (!filter.includes(id)) expect(`${route.path}${filter} ${answer}`).not.toContain(id);
        }
        expect(answer).toMatch(/^(20\d|40\d) /);
      }
    }
    expect(await rowsOf('owner')).toEqual(before);
  });

  describe('in the body of a request', () => {
    it.each(['/deliveries/retry', '/events/:event/replay'])(
      'names a foreign subscription: %s',
      async (path) => {
        const before = await rowsOf('owner');
        const at = path.replace(':event', own['event']!);
        const foreign = await other.post(at, { subscription_id: theirs['subscription'] });
        const unknown = await other.post(at, { subscription_id: UNKNOWN_ID });
        expect([foreign.status, foreign.text]).toEqual([unknown.status, unknown.text]);
        expect(await rowsOf('owner')).toEqual(before);
      },
    );
  });

  it('emits to its own subscriptions alone', async () => {
    const before = await rowsOf('owner');
    const made = await other.post<{ count: number }>('/deliveries', { event: OWN_EVENT, payload: { n: 1 } });
    const [subscribed] = await queryOnce<{ count: number }>(
      app.databaseUrl,
      `SELECT count(*)::int AS count FROM webhook_subscriptions WHERE tenant_id = 'other' AND active AND event = '${OWN_EVENT}'`,
    );
    expect(made.body.count).toBe(subscribed?.count);
    expect(await rowsOf('owner')).toEqual(before);
  });
});
