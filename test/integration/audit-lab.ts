import { expect } from '@jest/globals';

import type { ApiAnswer, ApiClient } from '../support/api-client.js';

/** An id that nothing has. */
export const UNKNOWN_ID = '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50';
export const URL_OF_TARGET = 'https://hooks.customer.com/in';
export const SECRET = 'canary-secret-of-the-audit';

/** One mutating operation: made to succeed, and made to be refused. */
export interface Change {
  readonly action: string;
  readonly type: string;
  readonly make: () => Promise<{
    readonly answer: ApiAnswer<unknown>;
    readonly resource: string;
    readonly details: object;
  }>;
  /** Prepares, and gives requests that must be refused. */
  readonly refusals: () => Promise<readonly (() => Promise<ApiAnswer<unknown>>)[]>;
}

export interface AuditLab {
  /** The client of the tenant of the running test. */
  readonly api: ApiClient;
  /** Makes the target of a subscription one that is refused when it is dialled: nothing leaves the machine. */
  block(subscriptionId: string): Promise<unknown>;
  /** Makes a delivery FAILED. */
  fail(deliveryId: string): Promise<unknown>;
}

/** Subscribes with a secret and a token in the query, neither of which may come into the trail. */
export async function subscribe(api: ApiClient, event = 'audit.made'): Promise<string> {
  const url = `${URL_OF_TARGET}?token=canary-token`;
  const { body, status } = await api.post<{ id: string }>('/subscriptions', { event, url, secret: SECRET });
  expect(status).toBe(201);
  return body.id;
}

export async function deliver(
  api: ApiClient,
  event = 'audit.made',
): Promise<{ event_id: string; delivery_ids: string[] }> {
  const payload = { canary: SECRET };
  return (await api.post<{ event_id: string; delivery_ids: string[] }>('/deliveries', { event, payload }))
    .body;
}
