import { expect } from '@jest/globals';

import type { ApiClient } from '../support/api-client.js';

export const URL_OF_TARGET = 'https://hooks.customer.com/gestiqcloud';

export const INVOICE = { number: 'F-1', customer: 'Panadería Sol', total_cents: 12_100, currency: 'EUR' };

/** A draft. @returns its id */
export async function invoiceIn(client: ApiClient): Promise<string> {
  const made = await client.request<{ id: string }>('POST', '/api/v1/tenant/invoices', { body: INVOICE });
  expect(made.status).toBe(201);
  return made.body.id;
}

/** @returns the id of the subscription */
export async function subscribe(client: ApiClient, event = 'doc.made'): Promise<string> {
  const made = await client.post<{ id: string }>('/subscriptions', { event, url: URL_OF_TARGET });
  expect(made.status).toBe(201);
  return made.body.id;
}

/** Subscribes when nobody has yet. @returns the id of the delivery */
export async function deliver(client: ApiClient): Promise<string> {
  const body = { event: 'doc.made', payload: { '10': 'ten', '2': 'two' } };
  let made = await client.post<{ delivery_ids: string[] }>('/deliveries', body);
  if (made.status === 404) {
    await subscribe(client);
    made = await client.post('/deliveries', body);
  }
  return made.body.delivery_ids[0]!;
}

/** @returns the id of an event that was delivered */
export async function eventIn(client: ApiClient): Promise<string> {
  await deliver(client);
  const { body } = await client.get<{ id: string }[]>('/events?limit=1');
  return body[0]!.id;
}

/** @returns the id of a subscription that is not active any more */
export async function deactivated(client: ApiClient): Promise<string> {
  const id = await subscribe(client, 'doc.over');
  expect((await client.delete(`/subscriptions/${id}`)).status).toBe(204);
  return id;
}

/** @returns the id of a background task */
export async function taskIn(client: ApiClient): Promise<string> {
  const { body } = await client.post<{ id: string }>('/deliveries/retry', { all: true });
  return body.id;
}
