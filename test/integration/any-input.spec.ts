import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { Pool } from 'undici';

import { LoopWatch } from '../support/loop-watch.js';
import { startRestApp, type RestApp } from '../support/rest-app.js';
import { describeWithPostgres } from '../support/servers.js';
import { anyRequest, refusedRequest, type AnyRequest } from './bad-requests/any-request.js';

/** `ANY_INPUT_REQUESTS` and `ANY_INPUT_SEED` run more of them, or others. */
const REQUESTS = Number(process.env['ANY_INPUT_REQUESTS'] ?? 20_000);
const SEED = Number(process.env['ANY_INPUT_SEED'] ?? 4_711);

const AT_ONCE = 16;

// As in a service; jest keeps 100 frames, which is a tenth of the time that this takes.
Error.stackTraceLimit = 10;

/**
 * Milliseconds of CPU between two turns of the event loop, over all requests that it takes up in one turn. The real
 * figure is a tenth of it; whatever stops the loop for the time of a timeout is far above.
 */
const MAX_STRETCH_MS = 500;

describeWithPostgres('whatever a client sends', () => {
  let app: RestApp;
  let pool: Pool;
  let database: pg.Client;
  const authorizations: Record<string, string> = {};

  beforeAll(async () => {
    app = await startRestApp();
    pool = new Pool(app.url, { connections: AT_ONCE, pipelining: 1 });
    database = new pg.Client({ connectionString: app.databaseUrl });
    await database.connect();
    for (const tenant of ['free', 'refused']) authorizations[tenant] = await app.authorizationOf(tenant);
    for (const tenant of ['free', 'refused']) {
      const made = await send(tenant, {
        method: 'POST',
        path: '/api/v1/tenant/webhooks/subscriptions',
        headers: {},
        body: '{"event":"*","url":"https://hooks.customer.com/any"}',
      });
      expect(made.status).toBe(201);
    }
  }, 180_000);

  afterAll(async () => {
    await pool?.close();
    await database?.end();
    await app?.close();
  });

  async function send(
    tenant: string,
    { method, path, headers, body }: AnyRequest,
  ): Promise<{ status: number; text: string; requestId: unknown }> {
    const answer = await pool.request({
      method,
      path,
      headers: {
        authorization: authorizations[tenant]!,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    });
    return {
      status: answer.statusCode,
      text: await answer.body.text(),
      requestId: answer.headers['x-request-id'],
    };
  }

  async function rowsOf(tenant: string): Promise<Record<string, string>> {
    const tables = await database.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1`,
    );
    const found: Record<string, string> = {};
    for (const { name } of tables.rows) {
      const { rows } = await database.query<{ sum: string }>(
        `SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS sum
           FROM ${name} t WHERE tenant_id = $1`,
        [tenant],
      );
      found[name] = rows[0]!.sum;
    }
    return found;
  }

  /** Sends so many requests, some at once, and gives back what was wrong with the answers. */
  async function violations(
    tenant: string,
    requests: readonly AnyRequest[],
    isRefused: boolean,
  ): Promise<object[]> {
    const found: object[] = [];
    const waiting = requests.values();
    const work = async (): Promise<void> => {
      for (const request of waiting) {
        const { status, text, requestId } = await send(tenant, request);
        const isGood = status < 500 && (!isRefused || status >= 400) && typeof requestId === 'string';
        if (!isGood) found.push({ status, text: text.slice(0, 300), request });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return found;
  }

  it('gets an answer that is no fault of ours, and stops nobody else', async () => {
    const watch = new LoopWatch();
    try {
      const requests = fc.sample(anyRequest, { numRuns: REQUESTS / 2, seed: SEED });
      watch.take();
      expect(await violations('free', requests, false)).toEqual([]);
      expect(watch.take()).toBeLessThan(MAX_STRETCH_MS);
    } finally {
      watch.stop();
    }
  }, 300_000);

  it('changes nothing when it is refused', async () => {
    const before = await rowsOf('refused');
    expect(Object.keys(before)).toContain('webhook_subscriptions');
    const requests = fc.sample(refusedRequest, { numRuns: REQUESTS / 2, seed: SEED });
    expect(await violations('refused', requests, true)).toEqual([]);
    expect(await rowsOf('refused')).toEqual(before);
  }, 300_000);
});
