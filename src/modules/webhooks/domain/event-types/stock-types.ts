import { WebhookEventType } from '../webhook-event-type.js';
import { CENTS, COUNT, CURRENCY, envelopedType, TEXT } from './enveloped-type.js';
import type { EventType, JsonSchema } from './event-type.js';

const STOCK: Readonly<Record<string, JsonSchema>> = { id: TEXT, sku: TEXT, warehouse: TEXT, quantity: COUNT };

const A_STOCK = { id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a44', sku: 'FLOUR-25', warehouse: 'central' };

const ORDER: Readonly<Record<string, JsonSchema>> = {
  id: TEXT,
  number: TEXT,
  supplier: TEXT,
  total_cents: CENTS,
  currency: CURRENCY,
  status: TEXT,
};

const AN_ORDER = {
  id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a55',
  number: 'C-2026-0015',
  supplier: 'Harinas del Norte',
  total_cents: 83_000,
  currency: 'EUR',
};

function order(event: string, description: string, status: string): EventType {
  const example = { ...AN_ORDER, status };
  return envelopedType({ event, description, resourceType: 'purchase_order', data: ORDER, example });
}

/** Stock and what is bought for it. */
export const STOCK_TYPES: readonly EventType[] = [
  envelopedType({
    event: WebhookEventType.InventoryLow,
    description: 'There is less of a product in a warehouse than there should be.',
    resourceType: 'inventory',
    data: { ...STOCK, threshold: COUNT },
    example: { ...A_STOCK, quantity: 3, threshold: 10 },
  }),
  envelopedType({
    event: WebhookEventType.InventoryUpdated,
    description: 'The quantity of a product in a warehouse changed.',
    resourceType: 'inventory',
    data: STOCK,
    example: { ...A_STOCK, quantity: 40 },
  }),
  order(WebhookEventType.PurchaseOrderCreated, 'Something was ordered from a supplier.', 'created'),
  order(WebhookEventType.PurchaseOrderReceived, 'What a supplier sent has arrived.', 'received'),
];
