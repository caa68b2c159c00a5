import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

import type { ApiClient } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Receiver } from '../../support/receiver.js';
import type { RunningService } from '../combination.js';

export interface EventType {
  readonly event: string;
  readonly description: string;
  readonly schema: object;
  readonly example: object;
}

/** What receivers are told of events. The service runs with `WEBHOOK_EVENT_VALIDATION=warn`. */
export function catalogue(running: () => RunningService): void {
  let receiver: Receiver;
  let api: ApiClient;

  beforeAll(async () => {
    receiver = await Receiver.start();
    api = await running().clientOf('catalogue');
  });

  afterAll(async () => {
    await receiver?.close();
  });

  it('describes every event type, with a schema that its example, and what modules emit, fits', async () => {
    const { status, body } = await api.get<EventType[]>('/event-types');
    expect(status).toBe(200);
    const names = body.map(({ event }) => event);
    expect(names).toEqual(
      expect.arrayContaining(['invoice.created', 'payment.failed', 'inventory.low', 'test']),
    );
    expect(names).toEqual(names.toSorted());
    const ajv = new Ajv2020();
    addFormats.default(ajv);
    for (const { event, description, schema, example } of body) {
      expect(description).not.toBe('');
      expect({ event, fits: ajv.validate(schema, example), errors: ajv.errors }).toEqual({
        ...{ event, fits: true, errors: null },
      });
    }

    await api.post('/subscriptions', { event: 'invoice.created', url: `${receiver.url}/in` });
    const invoice = { number: 'F-1', customer: 'Sol', total_cents: 100, currency: 'EUR' };
    const made = await api.request('POST', '/api/v1/tenant/invoices', { body: invoice });
    expect(made.status).toBe(201);
    await receiver.waitForCount(1);
    const sent: unknown = JSON.parse(receiver.requests[0]!.rawBody.toString());
    const { schema } = body.find(({ event }) => event === 'invoice.created')!;
    expect({ fits: ajv.validate(schema, sent), errors: ajv.errors }).toEqual({ fits: true, errors: null });
    expect(running().server.output.join('\n')).not.toContain('does not fit its schema: invoice.created');
  }, 60_000);

  it('says of what does not fit that it does not, without its values, and sends it all the same', async () => {
    await api.post('/subscriptions', { event: 'customer.updated', url: `${receiver.url}/wrong` });
    const payload = { event: 'customer.updated', data: { secret: 'hush-hush' } };
    const answer = await api.post('/deliveries', { event: 'customer.updated', payload });
    expect(answer.status).toBe(202);
    await eventually(() => expect(receiver.requests.some(({ url }) => url === '/wrong')).toBe(true), {
      timeoutMs: 30_000,
    });
    const output = (): string => running().server.output.join('\n');
    const said = /does not fit its schema: customer\.updated \(.*required property 'resource_type'/;
    await eventually(() => expect(output()).toMatch(said), { timeoutMs: 30_000 });
    expect(output()).not.toContain('hush-hush');
  }, 60_000);
}
