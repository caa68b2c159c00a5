import { patternsMatching } from '../event-name.js';
import { WebhookEventType } from '../webhook-event-type.js';
import type { EventCatalogue } from './event-catalogue.js';
import type { EventType } from './event-type.js';

/**
 * What a test of a subscription sends: an event of the first type in the catalogue that it listens to, in its own order;
 * `test` where it listens to everything, or to nothing that is known.
 */
export function sampleEvent(patterns: readonly string[], catalogue: EventCatalogue): EventType | null {
  for (const pattern of patterns) {
    if (pattern === '*') break;
    const type = catalogue.all().find(({ event }) => patternsMatching(event).includes(pattern));
    if (type !== undefined) return type;
  }
  return catalogue.find(WebhookEventType.Test);
}
