import { Module, type DynamicModule } from '@nestjs/common';

import { EventCatalogue } from './domain/event-types/event-catalogue.js';
import type { EventType } from './domain/event-types/event-type.js';

/** What one module brings to the catalogue. */
@Module({})
export class EventTypesModule {
  static of(types: readonly EventType[]): DynamicModule {
    return {
      module: EventTypesModule,
      providers: [
        {
          // One for each call, so that the modules of two features do not stand for each other.
          provide: Symbol('event types of a module'),
          inject: [EventCatalogue],
          useFactory: (catalogue: EventCatalogue): readonly EventType[] => {
            for (const type of types) catalogue.register(type);
            return types;
          },
        },
      ],
    };
  }
}
