import { Injectable } from '@nestjs/common';

import { InvoiceError } from '../domain/errors.js';
import type { Invoice } from '../domain/invoice.js';
import { InvoiceRepository } from './ports/invoice-repository.js';

@Injectable()
export class ReadInvoices {
  constructor(private readonly invoices: InvoiceRepository) {}

  /** Newest first, at most `limit`. */
  async list(tenantId: string, limit: number): Promise<Invoice[]> {
    return this.invoices.transaction(tenantId, (transaction) => this.invoices.list(transaction, limit));
  }

  /** @throws InvoiceError `invoice_not_found`. */
  async get(tenantId: string, id: string): Promise<Invoice> {
    const found = await this.invoices.transaction(tenantId, (transaction) =>
      this.invoices.find(transaction, id),
    );
    if (found === null) throw new InvoiceError('invoice_not_found');
    return found;
  }
}
