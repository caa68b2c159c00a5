import { ApiProperty } from '@nestjs/swagger';

import type { RequestedDelivery } from '../application/request-delivery.js';

export class RequestedDeliveryView {
  @ApiProperty({ example: true, enum: [true], type: 'boolean' })
  queued!: true;

  @ApiProperty({
    type: 'integer',
    description: 'Subscriptions that it goes to; 0: their filters kept it back, and it is stored.',
    example: 1,
  })
  count!: number;

  @ApiProperty({ example: '1 delivery queued' })
  message!: string;

  @ApiProperty({ format: 'uuid', example: '0193c5a0-8d2b-7a01-b0f3-6b1d2c3e4f50' })
  event_id!: string;

  @ApiProperty({ type: [String], format: 'uuid', example: ['0193c5a0-8d2c-7f10-8b5e-2f4c9a7d3e22'] })
  delivery_ids!: string[];
}

export class RetryView {
  @ApiProperty({ example: true, enum: [true], type: 'boolean' })
  queued!: true;

  @ApiProperty({ example: 'Delivery queued for retry' })
  message!: string;
}

export function presentRequested(requested: RequestedDelivery): RequestedDeliveryView {
  const count = requested.deliveryIds.length;
  return {
    queued: true,
    count,
    message: count === 1 ? '1 delivery queued' : `${count} deliveries queued`,
    event_id: requested.eventId,
    delivery_ids: [...requested.deliveryIds],
  };
}
