import { ExpiredHistory, type RemovedHistory } from '../application/ports/expired-history.js';
import type { InMemoryStore, StoredDelivery, StoredEvent } from './in-memory-store.js';

const DAY_MS = 86_400_000;

export class InMemoryExpiredHistory extends ExpiredHistory {
  constructor(private readonly store: InMemoryStore) {
    super();
  }

  override async remove(olderThanDays: number, limit: number): Promise<RemovedHistory | null> {
    const events = this.expired(olderThanDays, limit, () => true);
    const deliveries = events.flatMap(({ id }) => this.deliveriesOf(id)).slice(0, limit);
    for (const { id } of deliveries) this.store.deliveries.delete(id);
    const bare = events.filter(({ id }) => this.deliveriesOf(id).length === 0);
    for (const { id } of bare) this.store.events.delete(id);
    return Promise.resolve({ events: bare.length, deliveries: deliveries.length });
  }

  override async removePayloads(olderThanDays: number, limit: number): Promise<number | null> {
    const events = this.expired(olderThanDays, limit, ({ payload }) => payload !== null);
    for (const event of events) event.payload = null;
    return Promise.resolve(events.length);
  }

  private expired(
    olderThanDays: number,
    limit: number,
    wanted: (event: StoredEvent) => boolean,
  ): StoredEvent[] {
    const since = new Date(this.store.clock.nowMs() - olderThanDays * DAY_MS);
    const isKept = (row: StoredDelivery): boolean =>
      row.status === 'PENDING' || row.status === 'SENDING' || row.createdAt >= since;
    return [...this.store.events.values()]
      .filter(
        (event) => wanted(event) && event.createdAt < since && !this.deliveriesOf(event.id).some(isKept),
      )
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
      .slice(0, limit);
  }

  private deliveriesOf(eventId: string): StoredDelivery[] {
    return [...this.store.deliveries.values()].filter((row) => row.eventId === eventId);
  }
}
