import { Injectable } from '@nestjs/common';

import { InvoiceError } from '../domain/errors.js';
import type { Invoice } from '../domain/invoice.js';
import { InvoiceRepository, type InvoicePage } from './ports/invoice-repository.js';

@Injectable()
export class ReadInvoices {
  constructor(private readonly invoices: InvoiceRepository) {}

  /** Newest first; `afterId` is the last id of the page before. `limit` 1–100. */
  async list(tenantId: string, limit: number, afterId: string | null): Promise<InvoicePage> {
    return this.invoices.transaction(tenantId, (transaction) =>
      this.invoices.list(transaction, tenantId, limit, afterId),
    );
  }

  /** @throws InvoiceError `invoice_not_found`. */
  async get(tenantId: string, id: string): Promise<Invoice> {
    const found = await this.invoices.transaction(tenantId, (transaction) =>
      this.invoices.find(transaction, tenantId, id),
    );
    if (found === null) throw new InvoiceError('invoice_not_found');
    return found;
  }
}
