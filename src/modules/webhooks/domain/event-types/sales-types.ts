import { WebhookEventType } from '../webhook-event-type.js';
import { CENTS, CURRENCY, envelopedType, TEXT, TIME } from './enveloped-type.js';
import type { EventType, JsonSchema } from './event-type.js';

const INVOICE: Readonly<Record<string, JsonSchema>> = {
  id: TEXT,
  number: TEXT,
  customer: TEXT,
  total_cents: CENTS,
  currency: CURRENCY,
  status: TEXT,
  created_at: TIME,
  updated_at: TIME,
};

const AN_INVOICE = {
  id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a11',
  number: 'F-2026-0042',
  customer: 'Panadería Sol',
  total_cents: 12_100,
  currency: 'EUR',
  created_at: '2026-11-24T08:30:00.000Z',
  updated_at: '2026-11-24T09:00:00.000Z',
};

const ORDER: Readonly<Record<string, JsonSchema>> = {
  id: TEXT,
  number: TEXT,
  customer: TEXT,
  total_cents: CENTS,
  currency: CURRENCY,
  status: TEXT,
};

const AN_ORDER = {
  id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a22',
  number: 'P-2026-0107',
  customer: 'Panadería Sol',
  total_cents: 45_000,
  currency: 'EUR',
};

const PAYMENT: Readonly<Record<string, JsonSchema>> = {
  id: TEXT,
  amount_cents: CENTS,
  currency: CURRENCY,
  method: TEXT,
};

const A_PAYMENT = {
  id: '0193c5a0-7b1e-7c3a-9f64-0d7b1f0e6a33',
  invoice_id: AN_INVOICE.id,
  amount_cents: 12_100,
  currency: 'EUR',
  method: 'transfer',
};

function invoice(event: string, description: string, status: string): EventType {
  const example = { ...AN_INVOICE, status };
  return envelopedType({ event, description, resourceType: 'invoice', data: INVOICE, example });
}

function order(event: string, description: string, status: string): EventType {
  const example = { ...AN_ORDER, status };
  return envelopedType({ event, description, resourceType: 'sales_order', data: ORDER, example });
}

/** Invoices, sales orders and payments. */
export const SALES_TYPES: readonly EventType[] = [
  invoice(WebhookEventType.InvoiceCreated, 'An invoice was written down, as a draft.', 'draft'),
  invoice(WebhookEventType.InvoiceSent, 'An invoice went to its customer.', 'sent'),
  invoice(WebhookEventType.InvoiceAuthorized, 'The tax authority authorized an invoice.', 'authorized'),
  envelopedType({
    event: WebhookEventType.InvoiceRejected,
    description: 'The tax authority rejected an invoice.',
    resourceType: 'invoice',
    data: { ...INVOICE, reason: TEXT },
    example: { ...AN_INVOICE, status: 'rejected', reason: 'The tax number of the customer is not valid' },
  }),
  invoice(WebhookEventType.InvoiceCancelled, 'An invoice was cancelled.', 'cancelled'),
  invoice(WebhookEventType.InvoicePaid, 'An invoice was paid in full.', 'paid'),
  order(WebhookEventType.SalesOrderCreated, 'A customer ordered something.', 'draft'),
  order(WebhookEventType.SalesOrderConfirmed, 'A sales order was confirmed.', 'confirmed'),
  order(WebhookEventType.SalesOrderCancelled, 'A sales order was cancelled.', 'cancelled'),
  envelopedType({
    event: WebhookEventType.PaymentReceived,
    description: 'A payment came in.',
    resourceType: 'payment',
    data: PAYMENT,
    example: A_PAYMENT,
  }),
  envelopedType({
    event: WebhookEventType.PaymentFailed,
    description: 'A payment was refused or taken back.',
    resourceType: 'payment',
    data: { ...PAYMENT, reason: TEXT },
    example: { ...A_PAYMENT, method: 'card', reason: 'The card has expired' },
  }),
];
