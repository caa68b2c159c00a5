import type { RequestedEvent } from '../../application/ports/event-intake.js';
import type { Lane } from '../../domain/lane.js';
import type { AcceptResult } from './accept-events.js';

/** Which lanes an event of a tenant went to last, so that their places can be named before the next one is stored. A hint. */
export class FannedOut {
  private readonly lanes = new Map<string, readonly Lane[]>();

  /** @param capacity events that are remembered; beyond it the oldest knowledge goes */
  constructor(private readonly capacity: number) {}

  /** Each lane once. */
  lanesOf(events: readonly RequestedEvent[]): Lane[] {
    const found = new Map<string, Lane>();
    for (const event of events) {
      for (const lane of this.lanes.get(keyOf(event)) ?? []) found.set(lane.subscriptionId, lane);
    }
    return [...found.values()];
  }

  learn(events: readonly RequestedEvent[], results: readonly AcceptResult[]): void {
    events.forEach((event, index) => {
      const result = results[index];
      if (result?.kind !== 'stored') return;
      const key = keyOf(event);
      // A Map keeps the order of insertion: taken out and put back, the entry is the youngest.
      this.lanes.delete(key);
      this.lanes.set(key, [
        ...result.born.map(({ lane }) => lane),
        ...result.waiting.map(({ lane }) => lane),
      ]);
      if (this.lanes.size <= this.capacity) return;
      const oldest = this.lanes.keys().next();
      if (oldest.done !== true) this.lanes.delete(oldest.value);
    });
  }
}

/** Neither part can contain a space. */
function keyOf({ tenantId, event }: RequestedEvent): string {
  return `${tenantId} ${event}`;
}
