import { describe, expect, it } from '@jest/globals';
import { Global, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';

import { EventCatalogue } from './domain/event-types/event-catalogue.js';
import type { EventType } from './domain/event-types/event-type.js';
import { EventTypesModule } from './event-types.module.js';

@Global()
@Module({
  providers: [{ provide: EventCatalogue, useFactory: () => new EventCatalogue() }],
  exports: [EventCatalogue],
})
class CatalogueModule {}

const typeOf = (event: string, description = 'x'): EventType => ({
  ...{ event, description, schema: { type: 'object' }, example: {} },
});

async function catalogueWith(...features: (readonly EventType[])[]): Promise<EventCatalogue> {
  const testing = await Test.createTestingModule({
    imports: [CatalogueModule, ...features.map((types) => EventTypesModule.of(types))],
  }).compile();
  await testing.init();
  return testing.get(EventCatalogue);
}

describe('what modules bring to the catalogue', () => {
  // Red when two features are taken for one dynamic module, and the second brings nothing.
  it('is there when the application has started, of every module', async () => {
    const catalogue = await catalogueWith([typeOf('a.sent'), typeOf('a.lost')], [typeOf('b.sent')]);
    expect(['a.sent', 'a.lost', 'b.sent', 'invoice.paid'].map((name) => catalogue.has(name))).toEqual([
      ...[true, true, true, true],
    ]);
  });

  it('stops the start when two modules mean different things by one name', async () => {
    await expect(catalogueWith([typeOf('a.sent')], [typeOf('a.sent', 'y')])).rejects.toThrow(
      'The event type "a.sent" cannot be registered',
    );
  });
});
