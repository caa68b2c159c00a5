import type { Invoice, NewInvoice } from '../../domain/invoice.js';
import type { InvoiceRow } from './invoice.row.js';

export function toInvoice(row: InvoiceRow): Invoice {
  return {
    id: row.id,
    tenantId: row.tenantId,
    number: row.number,
    customer: row.customer,
    totalCents: Number(row.totalCents),
    currency: row.currency,
    status: row.status,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

/** Status and times are the database's defaults: a draft, now. */
export function toNewRow(invoice: NewInvoice): Omit<InvoiceRow, 'status' | 'createdAt' | 'updatedAt'> {
  return {
    id: invoice.id,
    tenantId: invoice.tenantId,
    number: invoice.number,
    customer: invoice.customer,
    totalCents: String(invoice.totalCents),
    currency: invoice.currency,
  };
}
