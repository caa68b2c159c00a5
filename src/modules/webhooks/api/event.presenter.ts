import { ApiProperty } from '@nestjs/swagger';

import type { StoredEvent, StoredEventDetail } from '../domain/stored-event.js';
import { DeliveryView, presentDelivery } from './delivery.presenter.js';

/** An event as clients see it in a list. */
export class EventView {
  @ApiProperty({ format: 'uuid', example: '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50' })
  id!: string;

  @ApiProperty({ example: 'invoice.created' })
  event!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Deliveries that it has; 0 when nobody was subscribed.',
    example: 1,
  })
  delivery_count!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Subscriptions that got it when it was emitted; replays do not count.',
    example: 1,
  })
  matched!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Subscriptions that listened to it then and whose filter kept it back.',
    example: 0,
  })
  filtered!: number;

  @ApiProperty({
    description: 'True when it was made by `POST /subscriptions/:id/test`: nothing of it has happened.',
    example: false,
  })
  test!: boolean;

  @ApiProperty({ format: 'date-time', example: '2026-11-24T09:00:00.000Z' })
  created_at!: string;
}

export class EventDetailView extends EventView {
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    description: 'As it was given, key order included; null once it was removed, see `payload_expired`.',
    example: { invoice_id: 'F-2026-0042', total: 121.0 },
  })
  payload!: Record<string, unknown> | null;

  @ApiProperty({
    description: 'True once the payload was removed because of its age: there is nothing left to send again.',
    example: false,
  })
  payload_expired!: boolean;

  @ApiProperty({
    type: [String],
    format: 'uuid',
    description: 'The subscriptions that `filtered` counts.',
    example: [],
  })
  filtered_by!: string[];

  @ApiProperty({ type: [DeliveryView], description: 'Where it went.' })
  deliveries!: DeliveryView[];
}

export function presentEvent(event: StoredEvent): EventView {
  return {
    id: event.id,
    event: event.event,
    delivery_count: event.deliveryCount,
    matched: event.matched,
    filtered: event.filtered,
    test: event.isTest,
    created_at: event.createdAt.toISOString(),
  };
}

/** The JSON text of an {@link EventDetailView}; the payload goes in as text, see `deliveryDetailJson`. */
export function eventDetailJson(event: StoredEventDetail): string {
  const view = JSON.stringify({
    ...presentEvent(event),
    filtered_by: event.filteredBy,
    deliveries: event.deliveries.map(presentDelivery),
    payload_expired: event.payload === null,
  });
  return `${view.slice(0, -1)},"payload":${event.payload ?? 'null'}}`;
}
