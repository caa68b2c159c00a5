import { describe, expect, it } from '@jest/globals';

import { WebhookEventType } from '../webhook-event-type.js';
import { EventCatalogue, EventTypeError } from './event-catalogue.js';
import type { EventType } from './event-type.js';

const SHIPMENT: EventType = {
  event: 'shipment.sent',
  description: 'A shipment left.',
  schema: { type: 'object', required: ['id'] },
  example: { id: 'S-1', to: { city: 'Soria', zip: '42001' } },
};

describe('EventCatalogue', () => {
  it('has every built-in type', () => {
    const names = new EventCatalogue().all().map(({ event }) => event);
    expect(names).toEqual(expect.arrayContaining(Object.values(WebhookEventType)));
    expect(names).toEqual([...new Set(names)].sort());
  });

  it('adds what modules register, and takes the same twice', () => {
    const catalogue = new EventCatalogue();
    catalogue.register(SHIPMENT);
    catalogue.register({ ...SHIPMENT, example: { to: { zip: '42001', city: 'Soria' }, id: 'S-1' } });
    expect(catalogue.find('shipment.sent')).toEqual(SHIPMENT);
    expect(catalogue.all().filter(({ event }) => event === 'shipment.sent')).toHaveLength(1);
    expect(catalogue.find('shipment.lost')).toBeNull();
  });

  it.each<[string, Partial<EventType>, RegExp]>([
    ['another schema', { schema: { type: 'object' } }, /another type has this name/],
    ['another example', { example: { id: 'S-2' } }, /another type has this name/],
    ['another description', { description: 'Gone.' }, /another type has this name/],
    ['the name of a built-in type', { event: 'invoice.created' }, /another type has this name/],
    ['a reserved name', { event: 'webhook.sent' }, /reserved/],
    ['a pattern', { event: 'shipment.*' }, /joined by dots/],
    ['a name in upper case', { event: 'Shipment.lost' }, /lower case/],
    ['no description', { event: 'shipment.lost', description: ' ' }, /description/],
    ['a list as example', { event: 'shipment.lost', example: [] as never }, /example must be a JSON object/],
    ['a schema that is none', { event: 'shipment.lost', schema: true as never }, /schema must be an object/],
  ])('refuses %s', (_what, change, why) => {
    const catalogue = new EventCatalogue();
    catalogue.register(SHIPMENT);
    const register = (): void => catalogue.register({ ...SHIPMENT, ...change });
    expect(register).toThrow(EventTypeError);
    expect(register).toThrow(why);
  });
});
