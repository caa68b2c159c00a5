import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';

import type { ApiAnswer, ApiClient } from '../support/api-client.js';
import type { Operation } from '../support/api-document.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';
import { auditedChanges } from './audit-changes.js';
import { subscribe, URL_OF_TARGET } from './audit-lab.js';

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly actor_type: string;
  readonly actor: string;
  readonly action: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly request_id: string | null;
}

/** The routes of another module write no line here: webhook_audit is about webhooks. */
const OF_WEBHOOKS = '/api/v1/tenant/webhooks/';

/** A question with a body. */
const CHANGES_NOTHING = 'previewBody';

describeWithPostgres('the audit trail', () => {
  let app: RestApp;
  let database: pg.Client;
  let api: ApiClient;
  let tenantId: string;
  let tests = 0;

  beforeAll(async () => {
    app = await startRestApp();
    database = new pg.Client({ connectionString: app.databaseUrl });
    await database.connect();
  }, 180_000);
  afterAll(async () => {
    await database?.end();
    await app?.close();
  });
  beforeEach(async () => {
    tenantId = `audit_${(tests += 1)}`;
    api = await app.clientOf(tenantId);
  });

  const trail = async (query = '', of = api): Promise<readonly Entry[]> => {
    const { status, body } = await of.get<readonly Entry[]>(`/audit${query}`);
    expect(status).toBe(200);
    return body;
  };
  const changes = auditedChanges({
    get api() {
      return api;
    },
    block: (id) =>
      database.query(`UPDATE webhook_subscriptions SET url = 'https://127.0.0.1/' WHERE id = $1`, [id]),
    fail: (id) =>
      database.query(
        `UPDATE webhook_deliveries SET status = 'FAILED', next_attempt_at = NULL WHERE id = $1`,
        [id],
      ),
  });

  it('knows every mutating operation of webhooks', () => {
    const mutating = app.document.operations.filter(
      ({ method, path, operationId }: Operation) =>
        method !== 'GET' && path.startsWith(OF_WEBHOOKS) && operationId !== CHANGES_NOTHING,
    );
    // Red as soon as a route is added that nobody thought of here.
    expect(Object.keys(changes).sort()).toEqual(mutating.map(({ operationId }) => operationId).sort());
  });

  it.each(Object.keys(changes))('%s writes exactly one entry', async (operation) => {
    const { make, action, type } = changes[operation]!;
    const { answer, resource, details } = await make();
    expect(answer.status).toBeLessThan(300);
    const entries = await trail(`?action=${action}`);
    // Red without the use case's `trail.record`, and with a second one.
    expect(entries).toEqual([
      {
        id: expect.any(String),
        at: expect.any(String),
        actor_type: 'token',
        actor: 'test-user',
        action,
        resource_type: type,
        resource_id: resource,
        details,
        request_id: answer.headers.get('x-request-id'),
      },
    ]);
    expect(Math.abs(Date.parse(entries[0]!.at) - Date.now())).toBeLessThan(60_000);
  });

  it.each(Object.keys(changes))('%s writes none when it is refused', async (operation) => {
    const refusals = await changes[operation]!.refusals();
    const before = await count();
    for (const refuse of refusals) expect((await refuse()).status).toBeGreaterThanOrEqual(400);
    // Red when the entry is written outside the transaction of its change.
    expect(await count()).toBe(before);
  });

  it('writes none for a repeated Idempotency-Key: nothing happened', async () => {
    await subscribe(api);
    const send = (): Promise<ApiAnswer<unknown>> =>
      api.post('/deliveries', { event: 'audit.made', payload: {} }, { headers: { 'idempotency-key': 'k' } });
    expect((await send()).status).toBe(202);
    expect((await send()).status).toBe(202);
    expect(await trail('?action=delivery.requested')).toHaveLength(1);
  });

  it('writes none for a dry run, nor for cancelling a task that has ended', async () => {
    expect((await api.post('/deliveries/retry', { all: true, dry_run: true })).status).toBe(200);
    const { body } = await api.post<{ id: string }>('/deliveries/retry', { all: true });
    for (let n = 0; n < 2; n += 1) expect((await api.post(`/tasks/${body.id}/cancel`)).status).toBe(200);
    expect((await trail()).map(({ action }) => action)).toEqual(['task.cancelled', 'task.started']);
  });

  it('belongs to the change: when it cannot be written, nothing is changed', async () => {
    const before = (await api.get<unknown[]>('/subscriptions')).body;
    await database.query('REVOKE INSERT ON webhook_audit FROM webhooks_tenant');
    try {
      const refused = await api.post('/subscriptions', { event: 'audit.made', url: URL_OF_TARGET });
      expect(refused).toMatchObject({ status: 500, body: { detail: 'internal_error' } });
    } finally {
      await database.query('GRANT INSERT ON webhook_audit TO webhooks_tenant');
    }
    expect((await api.get<unknown[]>('/subscriptions')).body).toEqual(before);
  });

  it('holds no secret, payload or query of a URL', async () => {
    for (const { make } of Object.values(changes)) {
      tenantId = `audit_${(tests += 1)}`;
      api = await app.clientOf(tenantId);
      await make();
    }
    const { rows } = await database.query<{ line: string }>('SELECT a::text AS line FROM webhook_audit a');
    expect(rows.length).toBeGreaterThan(6);
    expect(rows.map(({ line }) => line).join('\n')).not.toContain('canary');
  });

  it('is for its tenant alone, and nobody of the service can change or remove it', async () => {
    const id = await subscribe(api);
    expect(await trail(`?resource_id=${id}`, await app.clientOf('audit_stranger'))).toEqual([]);
    expect(await trail(`?resource_id=${id}`)).toHaveLength(1);
    // Red when one of the roles is granted more.
    for (const role of ['webhooks_tenant', 'webhooks_worker']) {
      for (const statement of [`UPDATE webhook_audit SET actor = 'x'`, 'DELETE FROM webhook_audit']) {
        await database.query('BEGIN');
        await database.query(
          `SELECT set_config('role', $1, true), set_config('app.current_tenant_id', $2, true)`,
          [role, tenantId],
        );
        await expect(database.query(statement)).rejects.toThrow('permission denied for table webhook_audit');
        await database.query('ROLLBACK');
      }
    }
  });

  it('is paged and filtered', async () => {
    const ids = [
      await subscribe(api, 'audit.a'),
      await subscribe(api, 'audit.b'),
      await subscribe(api, 'audit.c'),
    ];
    await api.delete(`/subscriptions/${ids[0]!}`);
    const pages: string[][] = [];
    let path: string | undefined = '/api/v1/tenant/webhooks/audit?limit=3&resource=subscription';
    while (path !== undefined) {
      const page: ApiAnswer<readonly Entry[]> = await api.request('GET', path);
      pages.push(page.body.map(({ action }) => action));
      path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([
      ['subscription.deactivated', 'subscription.created', 'subscription.created'],
      ['subscription.created'],
    ]);
    const [newest] = await trail();
    expect((await trail(`?resource_id=${ids[0]!}`)).map(({ action }) => action)).toEqual([
      'subscription.deactivated',
      'subscription.created',
    ]);
    expect(await trail(`?since=${newest!.at}`)).toHaveLength(1);
    expect(await trail(`?until=${newest!.at}`)).toHaveLength(3);
    expect(await trail('?actor=test-user')).toHaveLength(4);
    expect(await trail('?actor=nobody')).toEqual([]);
    expect(await trail('?resource=delivery')).toEqual([]);
  });

  it('names every problem of a bad filter', async () => {
    const { status, body } = await api.get(
      '/audit?action=x&resource=y&resource_id=z&actor=%00&since=s&until=u&limit=0',
    );
    expect(status).toBe(400);
    expect((body as { detail: { loc: string[] }[] }).detail.map(({ loc }) => loc[1]).sort()).toEqual(
      ['action', 'actor', 'limit', 'resource', 'resource_id', 'since', 'until'].sort(),
    );
  });

  async function count(): Promise<number> {
    const { rows } = await database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM webhook_audit WHERE tenant_id = $1',
      [tenantId],
    );
    return rows[0]!.n;
  }
});
