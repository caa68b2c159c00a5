import { buildEnvelope, WebhookEventType, type EmitCommand } from '../../webhooks/index.js';
import type { Invoice, InvoiceStatus } from '../domain/invoice.js';
import { publicInvoice } from './public-invoice.js';

const EVENT_OF_STATUS: Readonly<Record<InvoiceStatus, WebhookEventType>> = {
  draft: WebhookEventType.InvoiceCreated,
  sent: WebhookEventType.InvoiceSent,
  authorized: WebhookEventType.InvoiceAuthorized,
  paid: WebhookEventType.InvoicePaid,
  cancelled: WebhookEventType.InvoiceCancelled,
};

/** The event that tells of the state that an invoice has just reached. */
export function invoiceEvent(invoice: Invoice): EmitCommand {
  const { id: resourceId, tenantId, updatedAt: occurredAt } = invoice;
  const event = EVENT_OF_STATUS[invoice.status];
  const data = publicInvoice(invoice);
  return {
    tenantId,
    event,
    payload: buildEnvelope({ event, resourceType: 'invoice', resourceId, tenantId, data, occurredAt }),
  };
}
