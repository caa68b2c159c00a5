import { expect, it } from '@jest/globals';

import { EventCatalogue } from './event-catalogue.js';
import { sampleEvent } from './sample-event.js';

it.each<[string[], string]>([
  [['invoice.paid'], 'invoice.paid'],
  [['invoice.*'], 'invoice.authorized'],
  [['payment.failed', 'invoice.*'], 'payment.failed'],
  [['made.up', 'invoice.paid'], 'invoice.paid'],
  [['made.*', 'sales_order.*'], 'sales_order.cancelled'],
  [['*'], 'test'],
  [['*', 'invoice.paid'], 'test'],
  [['made.up'], 'test'],
  [['invoice'], 'test'],
])('a subscription to %j is tested with %s', (patterns, event) => {
  expect(sampleEvent(patterns, new EventCatalogue())?.event).toBe(event);
});

it('takes what modules registered as well', () => {
  const catalogue = new EventCatalogue();
  const type = { event: 'made.up', description: 'x', schema: { type: 'object' }, example: { n: 1 } };
  catalogue.register(type);
  expect(sampleEvent(['made.*'], catalogue)).toEqual(type);
});
