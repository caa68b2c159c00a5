import { Injectable } from '@nestjs/common';

import { WebhookEmitter } from '../../webhooks/index.js';
import { InvoiceError } from '../domain/errors.js';
import { applyTransition, type Invoice, type InvoiceTransition } from '../domain/invoice.js';
import { invoiceEvent } from './invoice-event.js';
import { InvoiceRepository } from './ports/invoice-repository.js';

/** Sends, authorizes, pays or cancels an invoice; the new state and its event commit together. */
@Injectable()
export class ChangeInvoiceState {
  constructor(
    private readonly invoices: InvoiceRepository,
    private readonly webhooks: WebhookEmitter,
  ) {}

  /** @throws InvoiceError `invoice_not_found` or `invoice_transition_not_allowed`; nothing was changed or emitted. */
  async execute(tenantId: string, id: string, transition: InvoiceTransition): Promise<Invoice> {
    return this.invoices.transaction(tenantId, async (transaction) => {
      const invoice = await this.invoices.findForUpdate(transaction, tenantId, id);
      if (invoice === null) throw new InvoiceError('invoice_not_found');
      const changed = await this.invoices.updateStatus(transaction, applyTransition(invoice, transition));
      await this.webhooks.emit(transaction, invoiceEvent(changed));
      return changed;
    });
  }
}
