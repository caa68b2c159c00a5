import type pg from 'pg';

import type { ApiAnswer, ApiClient, RequestOptions } from '../support/api-client.js';
import type { Operation } from '../support/api-document.js';
import type { RestApp } from '../support/rest-app.js';
import { panelCalls } from './openapi-panel-calls.js';
import {
  deactivated,
  deliver,
  eventIn,
  INVOICE,
  invoiceIn,
  subscribe,
  taskIn,
  URL_OF_TARGET,
} from './openapi-fixtures.js';

export const UNKNOWN_ID = '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50';

export interface Made {
  readonly status: number;
  readonly answer: ApiAnswer<unknown>;
}

/** Calls an operation and holds the answer against the document. */
export type Call = (
  operation: Operation,
  client: ApiClient,
  options?: RequestOptions & { readonly id?: string; readonly query?: string },
) => Promise<Made>;

export type Calls = (client: ApiClient, operation: Operation) => Promise<Made[]>;

/** What takes preparation, by operation: the successes, and the refusals that depend on what is stored. */
export function preparedCalls(
  call: Call,
  database: Pick<pg.Client, 'query'>,
  app: Pick<RestApp, 'url' | 'clientOf'>,
): Record<string, Calls> {
  /** As retention does it, to the event of a delivery. */
  const expirePayload = async (deliveryId: string): Promise<void> => {
    await database.query(
      `UPDATE webhook_events SET payload = NULL, has_payload = false
        WHERE id = (SELECT event_id FROM webhook_deliveries WHERE id = $1)`,
      [deliveryId],
    );
  };

  /** As the engine does it, when an endpoint fails. */
  const openCircuit = async (subscriptionId: string): Promise<void> => {
    await database.query(
      `UPDATE webhook_lanes SET circuit_state = 'open', circuit_cause = 'why', circuit_opened_at = now(),
                                next_probe_at = now(), failures = 10
        WHERE subscription_id = $1`,
      [subscriptionId],
    );
  };

  return {
    getKeySet: async (client, operation) => [await call(operation, client)],
    previewBody: async (client, operation) => {
      const missing = await call(operation, client, { body: { template: 'thin' } });
      const id = await deliver(client);
      const shown = [
        await call(operation, client),
        await call(operation, client, {
          body: { template: 'standard', filter: { n: '1' }, payload: { n: 1 } },
        }),
        await call(operation, client, { body: { template: { jsonata: '$error("no")' } } }),
      ];
      await expirePayload(id);
      return [missing, ...shown, await call(operation, client)];
    },
    createSubscription: async (client, operation) => {
      const headers = { 'X-Source': 'doc', Authorization: 'Bearer 1' };
      const body = { event: 'doc.made', url: URL_OF_TARGET, description: 'Docs', headers };
      const { event: _event, ...rest } = body;
      return [
        await call(operation, client, { body }),
        await call(operation, client, { body }),
        await call(operation, client, {
          body: { ...rest, events: ['doc.a', 'doc.b.*'], signature: { scheme: 'v1a' }, filter: { n: 1 } },
        }),
      ];
    },
    listSubscriptions: async (client, operation) => {
      const id = await subscribe(client);
      await openCircuit(id);
      return [await call(operation, client, { query: '?active=true' })];
    },
    getSubscription: async (client, operation) => [
      await call(operation, client, { id: await subscribe(client) }),
      await call(operation, client),
    ],
    updateSubscription: async (client, operation) => {
      const id = await subscribe(client, 'doc.one');
      await subscribe(client, 'doc.two');
      return [
        await call(operation, client, { id, body: { secret: 'another-secret' } }),
        await call(operation, client, { id, body: { event: 'doc.two' } }),
        await call(operation, client, { body: {} }),
      ];
    },
    deleteSubscription: async (client, operation) => {
      const id = await subscribe(client);
      return [await call(operation, client, { id }), await call(operation, client, { id })];
    },
    rotateSecret: async (client, operation) => {
      const id = await subscribe(client);
      return [
        await call(operation, client, { id }),
        await call(operation, client, { id, body: { secret: 'another-secret', overlap_hours: 0 } }),
        await call(operation, client, { id, body: { overlap_seconds: 60 } }),
        await call(operation, client),
      ];
    },
    pauseSubscription: async (client, operation) => {
      const id = await subscribe(client, 'doc.pause');
      const done = await call(operation, client, { id });
      await client.delete(`/subscriptions/${id}`);
      return [done, await call(operation, client, { id }), await call(operation, client)];
    },
    resumeSubscription: async (client, operation) => {
      const id = await subscribe(client, 'doc.resume');
      const done = await call(operation, client, { id });
      await client.delete(`/subscriptions/${id}`);
      return [done, await call(operation, client, { id }), await call(operation, client)];
    },
    resetCircuit: async (client, operation) => {
      const id = await subscribe(client, 'doc.reset');
      await openCircuit(id);
      const done = await call(operation, client, { id });
      await client.delete(`/subscriptions/${id}`);
      return [done, await call(operation, client, { id }), await call(operation, client)];
    },
    testSubscription: async (client, operation) => {
      const id = await subscribe(client, 'doc.tested');
      // Refused when it is dialled: nothing leaves the machine.
      await database.query(`UPDATE webhook_subscriptions SET url = 'https://127.0.0.1/' WHERE id = $1`, [id]);
      const made = await call(operation, client, { id });
      await client.delete(`/subscriptions/${id}`);
      return [made, await call(operation, client, { id }), await call(operation, client)];
    },
    listAudit: async (client, operation) => {
      await deliver(client);
      await client.patch(`/subscriptions/${await subscribe(client, 'doc.other')}`, { active: false });
      return [
        await call(operation, client),
        await call(operation, client, { query: '?resource=subscription&limit=1' }),
      ];
    },
    requestDelivery: async (client, operation) => {
      await subscribe(client);
      const headers = { 'idempotency-key': 'once' };
      const body = { event: 'doc.made', payload: { n: 1 } };
      return [
        await call(operation, client, { headers, body }),
        await call(operation, client, { headers, body: { ...body, payload: { n: 2 } } }),
        await call(operation, client, { body: { ...body, event: 'doc.nobody' } }),
      ];
    },
    listDeliveries: async (client, operation) => {
      await deliver(client);
      await deliver(client);
      return [await call(operation, client, { query: '?limit=1' })];
    },
    getDelivery: async (client, operation) => {
      const id = await deliver(client);
      await database.query(
        `INSERT INTO webhook_attempts (tenant_id, delivery_id, number, trigger, started_at, duration_ms, request_headers,
                                       status_code, error_class, error, response_body)
         SELECT tenant_id, id, n, 'auto', now(), 12, '{"X-Event":"doc.made"}',
                CASE n WHEN 1 THEN 404 END, CASE n WHEN 1 THEN 'http_4xx' END, CASE n WHEN 1 THEN 'HTTP 404' END, NULL
           FROM webhook_deliveries, generate_series(1, 2) n WHERE id = $1`,
        [id],
      );
      const made = [await call(operation, client, { id }), await call(operation, client)];
      await expirePayload(id);
      return [...made, await call(operation, client, { id })];
    },
    retryDelivery: async (client, operation) => {
      const id = await deliver(client);
      const made = [
        await call(operation, client, { id }),
        await call(operation, client, { id, body: { force: true } }),
        await call(operation, client),
      ];
      await database.query(`UPDATE webhook_deliveries SET status = 'SENDING' WHERE id = $1`, [id]);
      made.push(await call(operation, client, { id, body: { force: true } }));
      await database.query(`UPDATE webhook_deliveries SET status = 'PENDING' WHERE id = $1`, [id]);
      await expirePayload(id);
      return [...made, await call(operation, client, { id, body: { force: true } })];
    },
    cancelDelivery: async (client, operation) => {
      const id = await deliver(client);
      const cancelled = await call(operation, client, { id });
      await database.query(`UPDATE webhook_deliveries SET last_error = 'HTTP 500' WHERE id = $1`, [id]);
      return [cancelled, await call(operation, client, { id }), await call(operation, client)];
    },
    listEvents: async (client, operation) => {
      await deliver(client);
      await deliver(client);
      return [await call(operation, client, { query: '?limit=1&matched=true' })];
    },
    streamDeliveries: async (client, operation) => [
      await call(operation, client, { query: '?max_seconds=1' }),
      await call(operation, client, { query: '?max_seconds=0' }),
    ],
    getStatistics: async (client, operation) => {
      await deliver(client);
      return [
        await call(operation, client),
        await call(operation, client, { query: '?bucket=1d&from=2026-11-01&to=2026-11-02' }),
        await call(operation, client, { query: `?subscription_id=${UNKNOWN_ID}` }),
      ];
    },
    listEventTypes: async (client, operation) => [await call(operation, client)],
    getEvent: async (client, operation) => [
      await call(operation, client, { id: await eventIn(client) }),
      await call(operation, client),
    ],
    replayEvent: async (client, operation) => {
      const id = await eventIn(client);
      const made = [await call(operation, client, { id }), await call(operation, client)];
      const subscription = await deactivated(client);
      return [...made, await call(operation, client, { id, body: { subscription_id: subscription } })];
    },
    retryDeliveries: recovery({ event: 'doc.made' }),
    recoverSubscription: recovery({ since: '2026-11-01' }),
    replayMissing: recovery({ since: '2026-11-01' }),
    listTasks: async (client, operation) => {
      await taskIn(client);
      await taskIn(client);
      return [await call(operation, client, { query: '?limit=1' })];
    },
    getTask: async (client, operation) => [
      await call(operation, client, { id: await taskIn(client) }),
      await call(operation, client),
    ],
    cancelTask: async (client, operation) => [
      await call(operation, client, { id: await taskIn(client) }),
      await call(operation, client),
    ],
    ...panelCalls(call, app),
    createInvoice: async (client, operation) => [
      await call(operation, client, { body: INVOICE }),
      await call(operation, client, { body: INVOICE }),
    ],
    listInvoices: async (client, operation) => {
      await invoiceIn(client);
      return [await call(operation, client)];
    },
    getInvoice: async (client, operation) => [
      await call(operation, client, { id: await invoiceIn(client) }),
      await call(operation, client),
    ],
    sendInvoice: transition([]),
    authorizeInvoice: transition(['send']),
    payInvoice: transition(['send', 'authorize']),
    cancelInvoice: transition(['send']),
    getLiveness: async (client, operation) => [await call(operation, client)],
    getReadiness: async (client, operation) => [await call(operation, client)],
    getMetrics: async (client, operation) => [await call(operation, client)],
  };

  function recovery(body: object): Calls {
    return async (client, operation) => {
      const id = await subscribe(client);
      const of = (target: string): object =>
        operation.path.includes('{') ? { id: target, body } : { body: { ...body, subscription_id: target } };
      const made = [
        await call(operation, client, of(id)),
        await call(operation, client, { id, body: { ...body, dry_run: true } }),
        await call(operation, client, of(UNKNOWN_ID)),
      ];
      return [...made, await call(operation, client, of(await deactivated(client)))];
    };
  }

  function transition(before: readonly string[]): Calls {
    return async (client, operation) => {
      const id = await invoiceIn(client);
      for (const step of before) await client.request('POST', `/api/v1/tenant/invoices/${id}/${step}`);
      return [
        await call(operation, client, { id }),
        await call(operation, client, { id }),
        await call(operation, client),
      ];
    };
  }
}
