import type { Invoice, InvoiceStatus } from '../domain/invoice.js';

/** An invoice as everybody outside sees it: the answer of the API and the `data` of its events are the same. */
export interface PublicInvoice {
  readonly id: string;
  readonly number: string;
  readonly customer: string;
  readonly total_cents: number;
  readonly currency: string;
  readonly status: InvoiceStatus;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  /** ISO 8601, UTC. */
  readonly updated_at: string;
}

/** Field by field, so that a new column reaches receivers only when somebody decides so. */
export function publicInvoice(invoice: Invoice): PublicInvoice {
  return {
    id: invoice.id,
    number: invoice.number,
    customer: invoice.customer,
    total_cents: invoice.totalCents,
    currency: invoice.currency,
    status: invoice.status,
    created_at: invoice.createdAt.toISOString(),
    updated_at: invoice.updatedAt.toISOString(),
  };
}
